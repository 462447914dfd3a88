using System.Diagnostics;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using UGreen.Py.Front.Transport;
using UGreen.Py.Gateway;

namespace UGreen.Py.Front;

/// <summary>
/// A gateway exchange over Kestrel's features.
/// <para>
/// Invariant: the object belongs to one Kestrel connection, whose feature collection answers for itself (Kestrel's connection object implements every feature
/// it offers and no middleware replaces one), so the features are looked up once per connection and not per request.
/// </para>
/// </summary>
public sealed class HttpExchange : GatewayExchange
{
    private readonly ILogger _logger;
    private readonly IHttpRequestFeature _request;
    private readonly IHttpResponseFeature _response;
    private readonly IHttpResponseBodyFeature _responseBody;
    private readonly IRequestBodyPipeFeature _requestBody;
    private readonly IHttpRequestBodyDetectionFeature _bodyDetection;
    private readonly IHttpRequestLifetimeFeature _lifetime;
    private readonly RequestHeaderReader _headerReader;
    private readonly string _remoteAddress;
    private readonly string _localAddress;
    private readonly int _remotePort;
    private readonly int _localPort;
    private readonly ResponseBodyWriter _output;
    private readonly RequestBodyReader _body;
    private readonly FrontLimits _limits;
    private readonly PauseWatch? _pauses;
    private readonly IClientSocket? _socket;
    private readonly IConnectionLifetimeNotificationFeature? _connection;
    private readonly string _scheme;
    private readonly DrainState _drain;

    // Null unless the connection may speak HTTP/1.0.
    private readonly UnsizedRequestReader? _unsized;

    // Null unless the other side of this connection is one of them.
    private readonly ForwardedPeers? _forwarded;

    internal HttpExchange(IFeatureCollection features, FrontLimits limits, PauseWatch? pauses, ILogger logger, ForwardedPeers? forwarded, DrainState drain)
    {
        _logger = logger;
        _drain = drain;
        _limits = limits;
        _pauses = pauses;
        _request = features.GetRequiredFeature<IHttpRequestFeature>();
        _response = features.GetRequiredFeature<IHttpResponseFeature>();
        _responseBody = features.GetRequiredFeature<IHttpResponseBodyFeature>();
        _requestBody = features.GetRequiredFeature<IRequestBodyPipeFeature>();
        _bodyDetection = features.GetRequiredFeature<IHttpRequestBodyDetectionFeature>();
        _lifetime = features.GetRequiredFeature<IHttpRequestLifetimeFeature>();
        _headerReader = new RequestHeaderReader(logger);
        _unsized = features.Get<UnsizedRequestReader>();
        Share = features.Get<RequestShare>();

        _socket = ClientSocket.Of(features);
        if (_socket is not null) ReturnsOn = _socket.Scheduler;
        _connection = features.Get<IConnectionLifetimeNotificationFeature>();
        _body = new RequestBodyReader(pauses, limits.BodyBytes, _socket, _lifetime);
        // What leaves a TCP socket the kernel watches (KestrelLimits); a stream of HTTP/2 can stand still on a lively connection, and a unix socket has no such thing.
        var kernelWatches = _socket is { IsTcp: true } && _request.Protocol.StartsWith("HTTP/1", StringComparison.Ordinal);
        _output = new ResponseBodyWriter(_responseBody, _lifetime, new Pause(kernelWatches ? null : pauses, BreakOff), () => HeldShare);
        var connection = features.GetRequiredFeature<IHttpConnectionFeature>();
        _forwarded = forwarded is not null && forwarded.Has(connection.RemoteIpAddress) ? forwarded : null;
        _remoteAddress = Text(connection.RemoteIpAddress);
        _remotePort = connection.RemotePort;
        _localAddress = Text(connection.LocalIpAddress);
        _localPort = connection.LocalPort;
        // Not the request's own scheme, which an HTTP/2 client chooses. Only real TLS has this feature, see PriorKnowledge.
        _scheme = features.Get<ITlsHandshakeFeature>() is null ? "http" : "https";
    }

    /// <summary>True when the application side broke the response off; an access log says so.</summary>
    public bool WasAborted { get; private set; }

    /// <inheritdoc/>
    /// <remarks>Good for waiting and for asking about, not for reading or writing: the bytes are Kestrel's. HTTP/2 streams share a connection, so they have none.</remarks>
    public override int SocketFd => _socket is not null && IsHttp1 ? _socket.Fd : -1;

    /// <inheritdoc/>
    public override PipeReader Body => _body;

    /// <inheritdoc/>
    public override int FaultStatus => _body.FaultStatus;

    /// <inheritdoc/>
    public override CancellationToken ClientGone => _lifetime.RequestAborted;

    /// <inheritdoc/>
    /// <remarks>More bytes than a declared Content-Length are an <see cref="InvalidOperationException"/>; whoever fills the head counts.</remarks>
    public override PipeWriter Output => _output;

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">
    /// The head cannot be sent (a control character in a header, an interim status). Nothing was committed: <see cref="GatewayExchange.Started"/> is false and
    /// the application side may fill <see cref="GatewayExchange.Head"/> anew.
    /// </exception>
    public override void StartStreaming()
    {
        if (Started) throw new InvalidOperationException("the response has already started");

        ApplyHead(Head.ContentLength);
        // Writes the head into Kestrel's output buffer without flushing it, so that body bytes go straight behind it instead of through a side buffer. There
        // are no OnStarting callbacks, hence nothing to wait for.
        _responseBody.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
        Started = true;
    }

    /// <summary>Takes the request over from Kestrel. False: it was refused and the answer is set.</summary>
    internal bool TryBegin()
    {
        StartedAt = Stopwatch.GetTimestamp();
        if (_drain.HasBegun) AnnounceEnd();
        Method = _request.Method;
        Target = _request.RawTarget;
        Protocol = _request.Protocol is "HTTP/2" ? "HTTP/2.0" : _request.Protocol;
        if (IsHttp1) _socket?.SetAnswerDue(true);
        Scheme = _scheme;
        RemoteAddress = _remoteAddress;
        RemotePort = _remotePort;
        LocalAddress = _localAddress;
        LocalPort = _localPort;
        HasBody = _bodyDetection.CanHaveBody;
        AddHeaders(_request.Headers);
        if (_unsized is not null) Method = _unsized.Begin(Method, HasBody ? ContentLength : 0);
        if (_forwarded is not null) BelieveForwarded(_request.Headers);
        if (_localAddress.Length == 0) NameUnixServer(_request.Headers.Host.ToString());

        if (Method == "CONNECT")
        {
            FrontResponse.Set(_response, HttpStatus.NotImplemented, closes: IsHttp1);
            return false;
        }

        if (_headerReader.Refusal(Protocol) is { } reason) return Refuse(HttpStatus.BadRequest, reason);
        if (RequestTargetRule.IsBroken(Target)) return Refuse(HttpStatus.BadRequest, "a control character or '#' in the target");
        if (ContentLength > _limits.BodyBytes) return Refuse(HttpStatus.ContentTooLarge, "the body is longer than --limit-post");
        if (HasBody) _body.Begin(_requestBody.Reader);
        return true;
    }

    /// <summary>Acts on the outcome; Kestrel ends the response when the task is done.</summary>
    internal Task FinishAsync(ExchangeOutcome outcome)
    {
        LeaveShare();
        switch (outcome)
        {
            case ExchangeOutcome.Whole:
                return FinishWhole();
            case ExchangeOutcome.Streamed:
                if (ClosesConnection) CloseAfterThis();
                return _responseBody.CompleteAsync();
            case ExchangeOutcome.File:
                return FinishFileAsync();
            default:
                WasAborted = true;
                _lifetime.Abort();
                return Task.CompletedTask;
        }
    }

    internal void WriteTo(IAccessLog log)
        => log.Log(this, WasAborted && !Started ? HttpStatus.ClientLeft : _response.StatusCode, Stopwatch.GetTimestamp() - StartedAt, WasAborted);

    internal void End()
    {
        if (IsHttp1) _socket?.SetAnswerDue(false);
        WasAborted = false;
        _output.End();
        _body.End();
        _headerReader.Clear();
        Reset();
    }

    private bool Refuse(int status, string reason)
    {
        FrontLog.RequestRefused(_logger, Method, Target, status, reason);
        FrontResponse.Set(_response, status, closes: IsHttp1);
        return false;
    }

    /// <summary>The client takes nothing. Another thread than the exchange's owner, but the owner waits for just this.</summary>
    private void BreakOff()
    {
        if (_pauses!.Lines.TryPass(out var unsaid)) FrontLog.ResponseTimedOut(_logger, Method, Target, _pauses.Limit.TotalSeconds, unsaid);
        _lifetime.Abort();
    }

    private void AddHeaders(IHeaderDictionary headers)
    {
        ContentLength = headers.ContentLength;
        // HTTP/1.0 needs no Host; with one that says something else than the target Kestrel has replaced it already.
        if (headers.Host.Count == 0 && RequestTarget.Authority(Target) is { IsEmpty: false } authority) headers.Host = authority.ToString();
        foreach (ref readonly var header in _headerReader.Read(headers))
        {
            if (!_headerReader.Accept(header.Key, header.Value)) continue;
            for (var i = 0; i < header.Value.Count; i++) AddHeader(header.Key, header.Value[i] ?? "");
        }
    }

    private void BelieveForwarded(IHeaderDictionary headers)
    {
        Scheme = ForwardedHeaders.Scheme(headers, _logger) ?? Scheme;
        if (!ForwardedHeaders.TryGetClient(headers, _forwarded!, _logger, out var client)) return;
        RemoteAddress = client.Address.ToString();
        RemotePort = client.Port;
    }

    /// <summary>A unix socket has no name and no port, and WSGI wants both (PEP 3333).</summary>
    private void NameUnixServer(string host)
    {
        var colon = host.LastIndexOf(':');
        // A colon within brackets is part of an IPv6 address.
        var name = colon > host.LastIndexOf(']') ? host[..colon] : host;
        LocalAddress = name.Length == 0 ? "localhost" : name;
        LocalPort = Scheme == "https" ? 443 : 80;
    }

    private Task FinishWhole()
    {
        var body = WholeBody;
        try
        {
            var length = Head.ContentLength ?? body.Length;
            if (body.Length > length) body = CutBody(body, length);
            // An empty body says nothing about the length that GET would have: then a HEAD or 304 response carries none.
            ApplyHead(Head.ContentLength is null && body.IsEmpty && IsLengthOptional ? null : length);
        }
        catch (InvalidOperationException e)
        {
            FrontLog.ResponseRefused(_logger, Method, Target, e.Message);
            FrontResponse.Set(_response, HttpStatus.InternalServerError, closes: IsHttp1);
            return Task.CompletedTask;
        }

        Started = true;
        if (ClosesConnection && IsHttp1) _response.Headers.Connection = "close";
        if (_output.Suppressed || body.IsEmpty) return Task.CompletedTask;

        BytesOut = body.Length;
        var written = _responseBody.Writer.WriteAsync(body);
        return written.IsCompletedSuccessfully ? Task.CompletedTask : written.AsTask();
    }

    private async Task FinishFileAsync()
    {
        try
        {
            StartStreaming();
        }
        catch (InvalidOperationException e)
        {
            FrontLog.ResponseRefused(_logger, Method, Target, e.Message);
            FrontResponse.Set(_response, HttpStatus.InternalServerError, closes: IsHttp1);
            return;
        }

        var copied = await CopyFileAsync().ConfigureAwait(false);
        if (copied.End == FileCopyEnd.Done)
        {
            await _responseBody.CompleteAsync().ConfigureAwait(false);
            return;
        }

        if (copied.End == FileCopyEnd.FileFailed) FrontLog.FileFailed(_logger, Method, Target, copied.Error!);
        WasAborted = true;
        _lifetime.Abort();
    }

    /// <summary>HTTP/1: no further request on this connection. A stream of HTTP/2 has ended as it is, and the connection is the other streams' as well.</summary>
    private void CloseAfterThis()
    {
        if (IsHttp1) _connection?.RequestClose();
    }

    private ReadOnlyMemory<byte> CutBody(ReadOnlyMemory<byte> body, long length)
    {
        FrontLog.BodyCut(_logger, Method, Target, length, body.Length);
        return body[..(int)length];
    }

    /// <summary>
    /// The front is leaving. HTTP/1 says so in the response's head (<see cref="ApplyHead"/>). HTTP/2 tells the connection now, while this stream keeps it open: the client
    /// stops beginning streams before the connection ends, so that none is lost on the way.
    /// </summary>
    private void AnnounceEnd()
    {
        if (!_request.Protocol.StartsWith("HTTP/1", StringComparison.Ordinal)) _connection?.RequestClose();
    }

    private void ApplyHead(long? length)
    {
        _output.Suppressed = ResponseRules.HasNoBody(Method, Head.Status);
        // With 205 Kestrel insists on a length of 0, which is what it sends when none is given.
        ResponseHeadWriter.Apply(Head, ResponseRules.ForbidsLength(Head.Status) ? null : length, _response, _logger);
        // After a failed read nobody knows where the next request would begin.
        if (IsHttp1 && (FaultStatus != 0 || _limits.KeepAlive is null || _drain.HasBegun)) _response.Headers.Connection = "close";
    }

    private bool IsHttp1 => Protocol.StartsWith("HTTP/1", StringComparison.Ordinal);

    private bool IsLengthOptional => Method == "HEAD" || Head.Status == HttpStatus.NotModified;

    /// <summary>A client that reached an IPv6 socket by IPv4 is known by its IPv4 address.</summary>
    private static string Text(IPAddress? address) => address is null ? "" : (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();
}
