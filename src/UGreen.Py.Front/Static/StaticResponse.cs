using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Static;

/// <summary>
/// The response side of ASP.NET Core over an exchange: what the middleware sets goes into the exchange's head, and the file it names is copied to its output.
/// <para>
/// Invariant: the exchange's head is filled once, when the file is open, so that a file which cannot be opened can still be answered in another way.
/// </para>
/// </summary>
internal sealed class StaticResponse(GatewayExchange exchange) : IHttpResponseFeature, IHttpResponseBodyFeature, IHttpRequestLifetimeFeature
{
    // Copied at a time: what one slow client holds beyond the front's own buffer.
    private const int PieceBytes = 64 * 1024;

    /// <summary>The middleware did not answer: there is no such file any more.</summary>
    public bool IsDeclined { get; set; }

    /// <summary>The client left, or the file became shorter, in the middle of the body.</summary>
    public bool IsBroken { get; private set; }

    public int StatusCode { get; set; } = StatusCodes.Status200OK;

    public string? ReasonPhrase { get; set; }

    public IHeaderDictionary Headers { get; set; } = new HeaderDictionary();

    public bool HasStarted => exchange.Started;

    public Stream Body
    {
        get => Stream;
        set => throw new NotSupportedException("the body goes to the exchange");
    }

    public Stream Stream => Writer.AsStream(leaveOpen: true);

    public PipeWriter Writer => exchange.Output;

    public CancellationToken RequestAborted
    {
        get => exchange.ClientGone;
        set => throw new NotSupportedException("the front says when the client has gone");
    }

    public static StaticResponse Of(HttpContext context) => (StaticResponse)context.Features.GetRequiredFeature<IHttpResponseFeature>();

    /// <summary>Copies status and headers into the exchange's head.</summary>
    public void FillHead()
    {
        var head = exchange.Head;
        head.Status = StatusCode;
        head.ContentLength = Headers.ContentLength;
        foreach (var (name, values) in Headers)
        {
            if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)) continue;
            foreach (var value in values) head.Add(name, value ?? "");
        }
    }

    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (exchange.Started) return Task.CompletedTask;
        FillHead();
        exchange.StartStreaming();
        return Task.CompletedTask;
    }

    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be opened.</exception>
    public async Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default)
    {
        // Nothing to send is also what a device or a named pipe says of itself: opening one could wait for ever.
        if (count == 0) return;

        // Shared in every way: whoever writes into the directory must not be hindered by its readers.
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        await StartAsync(cancellationToken).ConfigureAwait(false);
        for (var left = count ?? RandomAccess.GetLength(file) - offset; left > 0;)
        {
            // Not asynchronous: .NET has no other way of reading a file than a thread of the pool, and this is one.
            var memory = Writer.GetMemory((int)Math.Min(left, PieceBytes));
            var got = RandomAccess.Read(file, memory.Span[..(int)Math.Min(left, Math.Min(memory.Length, PieceBytes))], offset);
            Writer.Advance(got);
            exchange.BytesOut += got;
            (offset, left) = (offset + got, left - got);
            var flushed = got == 0 ? default : await FileCopy.FlushAsync(Writer, cancellationToken).ConfigureAwait(false);
            IsBroken = (got == 0 && left > 0) || flushed.IsCompleted;
            if (IsBroken) return;
        }
    }

    public Task CompleteAsync() => Task.CompletedTask;

    public void DisableBuffering()
    {
    }

    public void Abort() => IsBroken = true;

    public void OnStarting(Func<object, Task> callback, object state) => throw new NotSupportedException("the exchange has no such event");

    public void OnCompleted(Func<object, Task> callback, object state) => throw new NotSupportedException("the exchange has no such event");
}
