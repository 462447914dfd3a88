using System.IO.Pipelines;
using System.Text;
using UGreen.Py.Gateway;
using Xunit;

namespace UGreen.Py.Wsgi.Tests;

/// <summary>A request with a client that the test plays. Everything happens inline, on the thread of the test.</summary>
#pragma warning disable CA1001 // the token source has nothing to release, and exchanges end with their test
internal sealed class TestExchange : GatewayExchange
#pragma warning restore CA1001
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private readonly Pipe _request = new(Options(65536));
    private readonly Pipe _response = new(Options(4096));
    private readonly CancellationTokenSource _gone = new();

    public TestExchange(string target = "/", bool hasBody = false, params (string Name, string Value)[] headers)
    {
        (Method, Target, Protocol, Scheme) = ("GET", target, "HTTP/1.1", "http");
        (RemoteAddress, RemotePort, LocalAddress, LocalPort) = ("192.0.2.7", 40123, "192.0.2.1", 8080);
        HasBody = hasBody;
        foreach (var (name, value) in headers) AddHeader(name, value);
    }

    public Task<ExchangeOutcome>? Running { get; set; }

    /// <summary>How the application side left it. The task completes on another thread, hence the bounded wait.</summary>
    public ExchangeOutcome Outcome
    {
        get
        {
            Assert.NotNull(Running);
            Assert.True(((IAsyncResult)Running).AsyncWaitHandle.WaitOne(s_limit), "the exchange was not given back");
            return Running.Result;
        }
    }

    public string Whole => Encoding.Latin1.GetString(WholeBody.Span);

    public override PipeReader Body => _request.Reader;

    public override CancellationToken ClientGone => _gone.Token;

    public override PipeWriter Output => _response.Writer;

    public override void StartStreaming() => Started = true;

    public TestExchange From(string address, int port, int localPort, string scheme = "http", string method = "GET", string protocol = "HTTP/1.1")
    {
        (RemoteAddress, RemotePort, LocalPort, Scheme, Method, Protocol) = (address, port, localPort, scheme, method, protocol);
        return this;
    }

    public TestExchange With(string method)
    {
        Method = method;
        return this;
    }

    /// <summary>The client sends a piece of the request body.</summary>
    public void Send(string text)
    {
        Encoding.Latin1.GetBytes(text, _request.Writer);
        Assert.True(_request.Writer.FlushAsync().AsTask().IsCompletedSuccessfully);
    }

    public void EndBody(Exception? error = null) => _request.Writer.Complete(error);

    /// <summary>The client takes what there is of the response.</summary>
    public string Take()
    {
        if (!_response.Reader.TryRead(out var read)) return "";
        var text = Encoding.Latin1.GetString(read.Buffer);
        _response.Reader.AdvanceTo(read.Buffer.End);
        return text;
    }

    /// <summary>The client leaves, as the front shows it: the token, and the end of the response's reader.</summary>
    public void Leave()
    {
        _response.Reader.Complete();
        _gone.Cancel();
    }

    // Pauses at the size and resumes when empty.
    private static PipeOptions Options(int bytes) => new(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: bytes, resumeWriterThreshold: 1, useSynchronizationContext: false);
}
