using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Abstractions;
using UGreen.Py.Front.Sockets;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Tests;

/// <summary>
/// A TCP and a unix socket on which two fronts can accept, as workers do. Each answer says which front gave it.
/// </summary>
internal sealed class SharedFronts : IAsyncDisposable
{
    private readonly DirectoryInfo _folder;
    private readonly ListenerSet _opened;
    private readonly List<ListenerSet> _adopted = [];
    private readonly List<HttpFront> _fronts = [];

    private SharedFronts(DirectoryInfo folder, HttpFrontOptions options, ListenerSet opened)
    {
        _folder = folder;
        _opened = opened;
        Options = options;
        Tcp = new IPEndPoint(IPAddress.Loopback, new Uri(opened.Addresses[0]).Port);
        Unix = new UnixDomainSocketEndPoint(Path.Combine(folder.FullName, "a.sock"));
    }

    public HttpFrontOptions Options { get; }

    /// <summary>Done when a request for /slow has arrived.</summary>
    public TaskCompletionSource Running { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Lets requests for /slow end.</summary>
    public TaskCompletionSource GoOn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>As each front must say it.</summary>
    public IReadOnlyList<string> Addresses => _opened.Addresses;

    public EndPoint Tcp { get; }

    public EndPoint Unix { get; }

    public static async Task<SharedFronts> OpenAsync()
    {
        var folder = Directory.CreateTempSubdirectory("front-");
        var options = new HttpFrontOptions([HttpEndpoint.Parse("127.0.0.1:0"), HttpEndpoint.Parse(Path.Combine(folder.FullName, "a.sock"))]);
        return new SharedFronts(folder, options, await ListenerSet.OpenAsync(options));
    }

    public static List<int> Duplicates(ListenerSet set) => [.. set.Descriptors.Select(dup)];

    /// <param name="name">The body of each answer.</param>
    /// <param name="adopts">On descriptors of its own, as in another process; else on those that were opened, which is possible once.</param>
    public async Task<HttpFront> StartAsync(string name, bool adopts)
    {
        var set = _opened;
        if (adopts) _adopted.Add(set = ListenerSet.Adopt(Options, Duplicates(_opened)));
        var front = new HttpFront(Options, new FakeApplication(e => AnswerAsync(e, name)), null, NullLoggerFactory.Instance, set);
        _fronts.Add(front);
        await front.StartAsync();
        return front;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var front in _fronts) await front.DisposeAsync();
        _adopted.ForEach(set => set.Dispose());
        _opened.Dispose();
        _folder.Delete(recursive: true);
    }

    private async Task AnswerAsync(GatewayExchange exchange, string name)
    {
        if (exchange.Target == "/slow")
        {
            Running.TrySetResult();
            await GoOn.Task;
        }

        if (exchange.Target != "/stream")
        {
            FakeApplication.Whole(exchange, name);
            return;
        }

        exchange.Head.Status = 200;
        exchange.Head.ContentLength = name.Length;
        exchange.StartStreaming();
        await exchange.Output.FlushAsync();
        await exchange.Output.WriteAsync(System.Text.Encoding.ASCII.GetBytes(name));
        exchange.Complete(ExchangeOutcome.Streamed);
    }

#pragma warning disable SYSLIB1054, IDE1006, CA2101 // No generated marshalling: it needs unsafe code, and there is nothing to marshal. The name is C's.
    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int dup(int fd);
#pragma warning restore SYSLIB1054, IDE1006, CA2101
}
