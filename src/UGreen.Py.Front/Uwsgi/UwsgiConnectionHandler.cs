using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Uwsgi;

/// <summary>
/// What Kestrel's transport calls for each connection of a uwsgi socket. One connection is one request:
/// <list type="number">
/// <item>read the packet, within <see cref="UwsgiFrontOptions.HeadTimeout"/>;</item>
/// <item>hand the exchange to the application side and wait for its outcome;</item>
/// <item>write what is left to write, or reset the connection;</item>
/// <item>take in what the application did not read of the request body, for a while, so that the response is not lost; then the transport closes.</item>
/// </list>
/// </summary>
public sealed class UwsgiConnectionHandler : ConnectionHandler, IDisposable
{
    private readonly IGatewayApplication _application;
    private readonly UwsgiFrontOptions _options;
    private readonly UwsgiCodec _codec;
    private readonly UwsgiExchangePool _exchanges;
    private readonly PauseWatch? _pauses;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly OncePerSecond _refusals;

    /// <param name="application">The application side.</param>
    /// <param name="options">Limits and times.</param>
    /// <param name="loggers">For the front's own lines.</param>
    /// <param name="time">For time-outs.</param>
    public UwsgiConnectionHandler(IGatewayApplication application, UwsgiFrontOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(application);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(loggers);
        ArgumentNullException.ThrowIfNull(time);
        _application = application;
        _options = options;
        _codec = new UwsgiCodec(options.Limits);
        _logger = loggers.CreateLogger(UwsgiLog.Category);
        _pauses = options.Pause is { } pause ? new PauseWatch(pause, time) : null;
        _exchanges = new UwsgiExchangePool(_pauses, _logger);
        _time = time;
        _refusals = new OncePerSecond(time);
    }

    /// <summary>Serves one connection; never faults because of what the other side does.</summary>
    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        var exchange = _exchanges.Rent();
        try
        {
            await ServeAsync(connection, exchange).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // A reset in the middle of something: the client's right, and nothing to repair here.
            UwsgiLog.ConnectionLost(_logger, Peer(connection), e.Message);
        }
        finally
        {
            // No await above leaves while the application side owns the exchange, so it is ours here.
            exchange.End();
            _exchanges.Return(exchange);
        }
    }

    /// <summary>Stops the clock; for the end of the server.</summary>
    public void Dispose() => _pauses?.Dispose();

    private async Task ServeAsync(ConnectionContext connection, UwsgiExchange exchange)
    {
        // :: Step 1
        var packet = await ReadHeadAsync(connection, exchange.RequestHead).ConfigureAwait(false);
        switch (packet.Kind)
        {
            case UwsgiEventKind.Request:
                break;
            case UwsgiEventKind.Ping:
                await connection.Transport.Output.WriteAsync(s_pong).ConfigureAwait(false);
                return;
            case UwsgiEventKind.Refused:
                await RefuseAsync(connection, packet.Refusal!).ConfigureAwait(false);
                return;
            default:
                return;
        }

        // :: Step 2
        if (exchange.RequestHead.Dropped.Count > 0) ReportDropped(connection, exchange.RequestHead);
        exchange.Begin(connection);
        var outcome = _options.BodyBytes is { } most && exchange.ContentLength > most ? exchange.RefuseBody(most) : await exchange.RunAsync(_application).ConfigureAwait(false);

        // :: Step 3
        await exchange.FinishAsync(outcome).ConfigureAwait(false);
        _options.RequestLog?.Invoke(exchange, exchange.LoggedStatus, Stopwatch.GetTimestamp() - exchange.StartedAt);

        // :: Step 4
        if (exchange.UnreadBytes > 0 && !exchange.WasAborted && !exchange.IsBodyBusy)
            await LingerAsync(connection.Transport.Input, exchange.UnreadBytes, exchange.HasEnd ? _options.LingerTimeout : _options.UnsizedLingerTimeout).ConfigureAwait(false);
    }

    private static readonly ReadOnlyMemory<byte> s_pong = UwsgiCodec.Pong.ToArray();

    /// <returns>NeedMore when the connection ended, was silent for too long, or was unused when the server stopped.</returns>
    private async ValueTask<UwsgiEvent> ReadHeadAsync(ConnectionContext connection, UwsgiHead head)
    {
        var input = connection.Transport.Input;
        using var timer = new CancellationTokenSource(_options.HeadTimeout, _time);
        // When the server stops, a connection that has sent nothing is not waited for.
        using var stop = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested
            .UnsafeRegister(static input => ((PipeReader)input!).CancelPendingRead(), input) ?? default;
        try
        {
            while (true)
            {
                var read = await input.ReadAsync(timer.Token).ConfigureAwait(false);
                var packet = _codec.Read(read.Buffer, head, out var consumed);
                if (packet.Kind != UwsgiEventKind.NeedMore)
                {
                    input.AdvanceTo(consumed);
                    return packet;
                }

                input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                if (read.IsCompleted || (read.IsCanceled && read.Buffer.IsEmpty)) return packet;
            }
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested)
        {
            UwsgiLog.HeadTimedOut(_logger, Peer(connection), _options.HeadTimeout.TotalSeconds);
            return default;
        }
    }

    private async Task RefuseAsync(ConnectionContext connection, UwsgiRefusal refusal)
    {
        if (_refusals.TryPass(out var unsaid)) UwsgiLog.Refused(_logger, Peer(connection), refusal.Reason, unsaid);
        if (refusal.Status == 0) return;

        var head = new ResponseHead { Status = refusal.Status };
        head.Add("Content-Type", "text/plain; charset=utf-8");
        ResponseHeadText.Write(head, refusal.Reason.Length + 1, "HTTP/1.1", connection.Transport.Output, _logger);
        connection.Transport.Output.Write(Encoding.ASCII.GetBytes(refusal.Reason + "\n"));
        await connection.Transport.Output.FlushAsync().ConfigureAwait(false);
        // How much more there is to come is not known; a front web server closes when it has the answer.
        await LingerAsync(connection.Transport.Input, long.MaxValue, _options.UnsizedLingerTimeout).ConfigureAwait(false);
    }

    private void ReportDropped(ConnectionContext connection, UwsgiHead head)
    {
        foreach (var name in head.Dropped)
        {
            if (name.WasReported) continue;
            name.WasReported = true;
            UwsgiLog.VariableIgnored(_logger, name.Text, Peer(connection));
        }
    }

    /// <summary>Reads and drops up to <paramref name="bytes"/>, until the client closes or the time is over.</summary>
    private async Task LingerAsync(PipeReader input, long bytes, TimeSpan limit)
    {
        using var timer = new CancellationTokenSource(limit, _time);
        try
        {
            while (bytes > 0)
            {
                var read = await input.ReadAsync(timer.Token).ConfigureAwait(false);
                bytes -= read.Buffer.Length;
                input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted) return;
            }
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested)
        {
            // Long enough: the transport closes.
        }
    }

    private static string Peer(ConnectionContext connection) => connection.RemoteEndPoint?.ToString() is { Length: > 0 } peer ? peer : "a unix socket";
}
