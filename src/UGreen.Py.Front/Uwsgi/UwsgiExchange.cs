using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using UGreen.Py.Front.Transport;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front.Uwsgi;

/// <summary>
/// A gateway exchange over a connection that speaks the uwsgi protocol.
/// <para>
/// Invariant: between <see cref="Begin"/> and <see cref="End"/> it belongs to one connection and one request; then it holds nothing of either and serves another.
/// </para>
/// </summary>
public sealed class UwsgiExchange : GatewayExchange
{
    private readonly ILogger _logger;
    private readonly UwsgiBodyReader _body;
    private readonly UwsgiOutput _output;
    private readonly PauseWatch? _pauses;
    private ConnectionContext? _connection;
    private IClientSocket? _socket;
    private bool _hasEnd;

    internal UwsgiExchange(PauseWatch? pauses, ILogger logger)
    {
        _logger = logger;
        _pauses = pauses;
        _body = new UwsgiBodyReader(pauses);
        _output = new UwsgiOutput(new Pause(pauses, BreakOff));
    }

    /// <summary>True when the response broke off; an access log says so.</summary>
    public bool WasAborted { get; private set; }

    /// <summary>
    /// The CGI variables as the front web server made them, to be copied into the environ as they are; of a repeated name the last one counts. REQUEST_METHOD,
    /// SCRIPT_NAME, PATH_INFO, QUERY_STRING, SERVER_NAME, SERVER_PORT and SERVER_PROTOCOL are always among them (PEP 3333).
    /// </summary>
    public override ReadOnlySpan<HeaderField> Variables => RequestHead.Variables;

    /// <inheritdoc/>
    public override string? PathInfo => RequestHead[VariableId.Path];

    /// <inheritdoc/>
    public override PipeReader Body => _body;

    /// <inheritdoc/>
    public override int FaultStatus => _body.FaultStatus;

    /// <inheritdoc/>
    /// <remarks>
    /// A client that has only ended its sending half is still there. Not told while more than the transport's buffer (1 MiB) of the request body waits to be read; then only a
    /// write finds out.
    /// </remarks>
    public override CancellationToken ClientGone => _connection?.ConnectionClosed ?? CancellationToken.None;

    /// <inheritdoc/>
    /// <remarks>More bytes than a declared Content-Length are an <see cref="InvalidOperationException"/>; whoever fills the head counts.</remarks>
    public override PipeWriter Output => _output;

    /// <inheritdoc/>
    /// <remarks>Good for waiting and for asking about, not for reading or writing: the bytes are the front's.</remarks>
    public override int SocketFd => _socket?.Fd ?? -1;

    /// <summary>Where the codec puts what it reads.</summary>
    internal UwsgiHead RequestHead { get; } = new();

    /// <summary>Request body bytes that nobody has read.</summary>
    internal long UnreadBytes => _body.Remaining;

    /// <summary>The application side left a read unfinished, so the connection cannot be read any more.</summary>
    internal bool IsBodyBusy => _body.IsReading;

    /// <summary>The client can tell the end of the response without the end of the connection.</summary>
    internal bool HasEnd => _hasEnd;

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">
    /// The head cannot be sent (a control character in a header, an interim status). Nothing was committed: <see cref="GatewayExchange.Started"/> is false and
    /// the application side may fill <see cref="GatewayExchange.Head"/> anew.
    /// </exception>
    public override void StartStreaming()
    {
        if (Started) throw new InvalidOperationException("the response has already started");
        WriteHead(Head.ContentLength);
    }

    /// <summary>Takes a request whose head was read. What it lacks of what an environ must have is filled in from the connection.</summary>
    internal void Begin(ConnectionContext connection)
    {
        _connection = connection;
        _socket = ClientSocket.Of(connection.Features);
        ReturnsOn = _socket?.Scheduler ?? PipeScheduler.ThreadPool;
        StartedAt = Stopwatch.GetTimestamp();
        var remote = connection.RemoteEndPoint as IPEndPoint;
        var local = connection.LocalEndPoint as IPEndPoint;
        var head = RequestHead;
        head.AddDefault(VariableId.ScriptName, "SCRIPT_NAME", "");
        head.AddDefault(VariableId.Path, "PATH_INFO", "");
        head.AddDefault(VariableId.Query, "QUERY_STRING", "");
        head.AddDefault(VariableId.Protocol, "SERVER_PROTOCOL", "HTTP/1.1");
        // On a unix socket without these the names are those of a local site: an environ must have them, and applications make URLs of them.
        head.AddDefault(VariableId.ServerName, "SERVER_NAME", local is null ? "localhost" : Text(local.Address));
        head.AddDefault(VariableId.ServerPort, "SERVER_PORT", local is null ? "80" : local.Port.ToString(CultureInfo.InvariantCulture));

        Method = head[VariableId.Method]!;
        Protocol = head[VariableId.Protocol]!;
        _socket?.SetAnswerDue(true);
        Scheme = ChooseScheme(head);
        Target = head[VariableId.Uri] ?? head[VariableId.ScriptName] + head[VariableId.Path];
        RemoteAddress = head[VariableId.RemoteAddress] ?? (remote is null ? "" : Text(remote.Address));
        RemotePort = Port(head[VariableId.RemotePort]) ?? remote?.Port ?? 0;
        LocalAddress = head[VariableId.ServerName]!;
        LocalPort = Port(head[VariableId.ServerPort]) ?? local?.Port ?? 0;
        ContentLength = head.ContentLength;
        HasBody = head.ContentLength > 0;
        _body.Begin(connection.Transport.Input, head.ContentLength ?? 0);
    }

    /// <summary>Acts on the outcome. The connection is ended by the caller.</summary>
    internal ValueTask<FlushResult> FinishAsync(ExchangeOutcome outcome)
    {
        switch (outcome)
        {
            case ExchangeOutcome.Whole:
                WriteWhole();
                break;
            case ExchangeOutcome.Streamed when Started:
                break;
            case ExchangeOutcome.File:
                return FinishFileAsync();
            default:
                return Break();
        }

        if (_output.Missing == 0) return _output.FlushAsync();
        UwsgiLog.BodyTooShort(_logger, Method, Target, _output.Missing);
        return Break();
    }

    /// <summary>Lets go of connection and request.</summary>
    internal void End()
    {
        _socket?.SetAnswerDue(false);
        _body.End();
        _output.End();
        RequestHead.Clear();
        _connection = null;
        _socket = null;
        _hasEnd = false;
        WasAborted = false;
        Reset();
    }

    /// <summary>What was really sent, for the log.</summary>
    internal int LoggedStatus => WasAborted && !Started ? HttpStatus.ClientLeft : Head.Status;

    /// <summary>Answers 413 in the application's place.</summary>
    internal ExchangeOutcome RefuseBody(long limit)
    {
        UwsgiLog.BodyTooLarge(_logger, Method, Target, ContentLength ?? 0, limit);
        FillPlain(HttpStatus.ContentTooLarge, "Content Too Large");
        return ExchangeOutcome.Whole;
    }

    /// <summary>The client takes nothing. Another thread than the exchange's owner, but the owner waits for just this.</summary>
    private void BreakOff()
    {
        if (_pauses!.Lines.TryPass(out var unsaid)) UwsgiLog.ResponseTimedOut(_logger, Method, Target, _pauses.Limit.TotalSeconds, unsaid);
        _connection!.Abort(new ConnectionAbortedException("the client took nothing of the response"));
    }

    private PipeWriter Transport => _connection!.Transport.Output;

    private bool IsLengthOptional => Method == "HEAD" || Head.Status == HttpStatus.NotModified;

    /// <summary>Resets the connection: without a Content-Length a plain close would look like a complete response. (A unix socket knows no reset.)</summary>
    private ValueTask<FlushResult> Break()
    {
        WasAborted = true;
        _connection!.Abort(new ConnectionAbortedException("the response broke off"));
        return default;
    }

    private void WriteWhole()
    {
        var body = WholeBody;
        var length = Head.ContentLength ?? body.Length;
        if (body.Length > length)
        {
            UwsgiLog.BodyCut(_logger, Method, Target, length, body.Length);
            body = body[..(int)length];
        }

        // An empty body says nothing about the length that GET would have: then a HEAD or 304 response carries none.
        if (!TryWriteHead(Head.ContentLength is null && body.IsEmpty && IsLengthOptional ? null : length)) body = WholeBody;

        // With the head still unflushed, both leave in one send.
        if (!_output.IsSuppressed) BytesOut = body.Length;
        _output.Write(body.Span);
    }

    private async ValueTask<FlushResult> FinishFileAsync()
    {
        if (!TryWriteHead(Head.ContentLength))
        {
            BytesOut = WholeBody.Length;
            return await _output.WriteAsync(WholeBody).ConfigureAwait(false);
        }

        var copied = await CopyFileAsync().ConfigureAwait(false);
        if (copied.End == FileCopyEnd.FileFailed) UwsgiLog.FileFailed(_logger, Method, Target, copied.Error!);
        return copied.End == FileCopyEnd.Done ? default : await Break().ConfigureAwait(false);
    }

    /// <summary>False: the head cannot be sent, and that of an error page took its place, whose text is in <see cref="GatewayExchange.WholeBody"/>.</summary>
    private bool TryWriteHead(long? length)
    {
        try
        {
            WriteHead(length);
            return true;
        }
        catch (InvalidOperationException e)
        {
            UwsgiLog.ResponseRefused(_logger, Method, Target, e.Message);
            FillPlain(HttpStatus.InternalServerError, "Internal Server Error");
            WriteHead(WholeBody.Length);
            return false;
        }
    }

    private void WriteHead(long? length)
    {
        var suppressed = ResponseRules.HasNoBody(Method, Head.Status);
        if (Head.Status == HttpStatus.NoContent) length = null;
        else if (Head.Status == HttpStatus.ResetContent) length = 0;

        ResponseHeadText.Write(Head, length, Protocol, Transport, _logger);
        // Over TCP the kernel watches (KestrelLimits).
        _output.Begin(Transport, length, suppressed, watched: _connection!.RemoteEndPoint is not IPEndPoint);
        _hasEnd = suppressed || length is not null;
        Started = true;
    }

    /// <summary>
    /// UWSGI_SCHEME is made for this; HTTPS and REQUEST_SCHEME are what nginx's own parameters say. Not X-Forwarded-Proto: it comes from whoever sent the request.
    /// </summary>
    private static string ChooseScheme(UwsgiHead head)
    {
        if (head[VariableId.UwsgiScheme] is "http" or "https") return head[VariableId.UwsgiScheme]!;
        var https = head[VariableId.Https];
        return https is "1" || string.Equals(https, "on", StringComparison.OrdinalIgnoreCase) || head[VariableId.RequestScheme] is "https" ? "https" : "http";
    }

    private static int? Port(string? text)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= IPEndPoint.MaxPort ? port : null;

    /// <summary>A client that reached an IPv6 socket by IPv4 is known by its IPv4 address.</summary>
    private static string Text(IPAddress address) => (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();
}
