using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Xunit;

namespace UGreen.Py.Front.Tests;

/// <summary>The middleware alone: what it lets through, what it says of the connection, and when it gives up.</summary>
public sealed class PriorKnowledgeTests : IAsyncDisposable
{
    private const string Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    private static readonly KestrelServerLimits s_limits = new() { KeepAliveTimeout = TimeSpan.FromSeconds(5), RequestHeadersTimeout = TimeSpan.FromSeconds(3) };

    private readonly Pipe _client = new();
    private readonly Heartbeat _heartbeat = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly DefaultConnectionContext _connection;
    private string? _passedOn;

    public PriorKnowledgeTests()
    {
        _connection = new DefaultConnectionContext("1") { Transport = new Duplex(_client.Reader, new Pipe().Writer) };
        _connection.Features.Set<IConnectionHeartbeatFeature>(_heartbeat);
        _connection.Features.Set<IConnectionLifetimeNotificationFeature>(new Lifetime { ConnectionClosedRequested = _stop.Token });
    }

    private bool IsHttp2 => _connection.Features.Get<ITlsApplicationProtocolFeature>() is not null;

    [Theory]
    [InlineData(Preface, true)]
    [InlineData(Preface + "more", true)]
    [InlineData("GET / HTTP/1.1\r\n", false)]
    [InlineData("P", null)]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r", null)]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\n", false)]
    [InlineData("POST", false)]
    [InlineData("", null)]
    public void Match(string text, bool? expected)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        Assert.Equal(expected, PriorKnowledge.Match(new ReadOnlySequence<byte>(bytes)));
        Assert.Equal(expected, PriorKnowledge.Match(OneByteEach(bytes)));
    }

    [Theory]
    [InlineData(Preface + "rest", true)]
    [InlineData("GET / HTTP/1.1\r\n\r\n", false)]
    public async Task What_is_there_already_is_passed_on_whole(string text, bool isHttp2)
    {
        await SendAsync(text);
        await Serve().WaitAsync(TestFront.Patience);

        Assert.Equal((text, isHttp2), (_passedOn, IsHttp2));
        Assert.Equal(0, _heartbeat.Count);
    }

    [Fact]
    public async Task Byte_by_byte()
    {
        var serving = Serve();
        foreach (var c in Preface)
        {
            Assert.False(serving.IsCompleted);
            await SendAsync(c.ToString());
        }

        await serving.WaitAsync(TestFront.Patience);
        Assert.Equal((Preface, true), (_passedOn, IsHttp2));
        // The HTTP/1 of real TLS has this feature, a connection without TLS must not.
        Assert.Null(_connection.Features.Get<ITlsHandshakeFeature>());
    }

    [Fact]
    public async Task Silence_ends_the_connection_after_the_keep_alive_time()
    {
        var serving = Serve();
        _heartbeat.Beat(4);
        Assert.False(serving.IsCompleted);
        _heartbeat.Beat(1);

        await serving.WaitAsync(TestFront.Patience);
        Assert.Null(_passedOn);
    }

    [Fact]
    public async Task A_preface_that_does_not_end_is_left_to_Kestrel()
    {
        var serving = Serve();
        _heartbeat.Beat(4);
        await SendAsync("PRI");
        await SendAsync(" ");
        _heartbeat.Beat(2);
        Assert.False(serving.IsCompleted);
        _heartbeat.Beat(1);

        await serving.WaitAsync(TestFront.Patience);
        Assert.Equal(("PRI ", false), (_passedOn, IsHttp2));
    }

    [Fact]
    public async Task The_clock_touches_nothing_once_the_bytes_are_passed_on()
    {
        var serving = Serve(async connection =>
        {
            var input = connection.Transport.Input;
            input.AdvanceTo((await input.ReadAsync()).Buffer.End);
            var next = input.ReadAsync().AsTask();
            _heartbeat.Beat(100);
            await SendAsync("x");
            Assert.False((await next).IsCanceled);
        });
        await SendAsync("GET");

        await serving.WaitAsync(TestFront.Patience);
    }

    [Fact]
    public async Task A_stop_ends_a_connection_that_said_nothing()
    {
        var serving = Serve();
        await _stop.CancelAsync();

        await serving.WaitAsync(TestFront.Patience);
        Assert.Null(_passedOn);
    }

    [Fact]
    public async Task A_client_that_leaves_is_no_error()
    {
        var serving = Serve();
        await _client.Writer.CompleteAsync(new ConnectionResetException("reset"));

        await serving.WaitAsync(TestFront.Patience);
        Assert.Null(_passedOn);
    }

    public async ValueTask DisposeAsync()
    {
        _stop.Dispose();
        await _connection.DisposeAsync();
    }

    private Task Serve(ConnectionDelegate? next = null) => new PriorKnowledge(next ?? TakeAsync, s_limits).OnConnectionAsync(_connection);

    private async Task SendAsync(string text) => await _client.Writer.WriteAsync(Encoding.ASCII.GetBytes(text));

    private Task TakeAsync(ConnectionContext connection)
    {
        // At once, or the middleware has counted the bytes as seen.
        Assert.True(connection.Transport.Input.TryRead(out var read));
        _passedOn = Encoding.ASCII.GetString(read.Buffer);
        return Task.CompletedTask;
    }

    private static ReadOnlySequence<byte> OneByteEach(byte[] bytes)
    {
        var first = new Piece(ReadOnlyMemory<byte>.Empty, null);
        var last = first;
        for (var i = 0; i < bytes.Length; i++) last = new Piece(bytes.AsMemory(i, 1), last);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, Piece? before)
        {
            Memory = memory;
            if (before is null) return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class Lifetime : IConnectionLifetimeNotificationFeature
    {
        public CancellationToken ConnectionClosedRequested { get; set; }

        public void RequestClose()
        {
        }
    }

    private sealed class Heartbeat : IConnectionHeartbeatFeature
    {
        private readonly List<(Action<object> Action, object State)> _actions = [];

        public int Count => _actions.Count;

        public void OnHeartbeat(Action<object> action, object state) => _actions.Add((action, state));

        public void Beat(int times)
        {
            for (var i = 0; i < times; i++) _actions.ForEach(a => a.Action(a.State));
        }
    }
}
