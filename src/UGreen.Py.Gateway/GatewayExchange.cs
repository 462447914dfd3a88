using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using Microsoft.Win32.SafeHandles;

namespace UGreen.Py.Gateway;

/// <summary>
/// One request and its response between a front and the application side.
/// <para>
/// Invariant: at any moment one side owns the exchange. The front owns it until <see cref="RunAsync"/> submitted it, the application side until
/// <see cref="Complete"/>, then the front again. Neither side touches it while the other owns it; the hand-over itself (a concurrent queue one way, a task
/// completion the other) is the memory barrier. Nothing here is locked.
/// </para>
/// <para>A front derives one class from this and may reuse an object for the next request on the same connection; <see cref="Reset"/> lies between.</para>
/// </summary>
public abstract class GatewayExchange : IValueTaskSource<ExchangeOutcome>
{
    private HeaderField[] _headers = new HeaderField[16];
    private int _headerCount;
    private byte[]? _whole;
    private int _wholeLength;

    // Set where the front goes on, never on the hub thread, which must not run the front's code (sockets, logs) in its own time.
    private ManualResetValueTaskSourceCore<ExchangeOutcome> _completion;
    private ExchangeOutcome _outcome;
    private bool _isComplete;

    // ---- The request: filled by the front before RunAsync ------------------------------------------------------------------------------------------------

    /// <summary>HTTP method as sent.</summary>
    public string Method { get; protected set; } = "";

    /// <summary>The request target exactly as sent (percent-encoded; origin form <c>/a%20b?q</c> or absolute form <c>http://host/a</c> or <c>*</c>).</summary>
    public string Target { get; protected set; } = "";

    /// <summary>"HTTP/1.1", "HTTP/1.0", "HTTP/2.0".</summary>
    public string Protocol { get; protected set; } = "";

    /// <summary>"http" or "https".</summary>
    public string Scheme { get; protected set; } = "http";

    /// <summary>Address of the client without the port; empty for a unix socket.</summary>
    public string RemoteAddress { get; protected set; } = "";

    /// <summary>Port of the client; 0 for a unix socket.</summary>
    public int RemotePort { get; protected set; }

    /// <summary>Address that the client reached, without the port.</summary>
    public string LocalAddress { get; protected set; } = "";

    /// <summary>Port that the client reached; 0 for a unix socket.</summary>
    public int LocalPort { get; protected set; }

    /// <summary>Length of the request body in bytes where the client declared one.</summary>
    public long? ContentLength { get; protected set; }

    /// <summary>False when the request surely has no body; then nobody touches <see cref="Body"/>.</summary>
    public bool HasBody { get; protected set; }

    /// <summary>Request headers in wire order, repeated names as separate fields.</summary>
    public ReadOnlySpan<HeaderField> Headers => _headers.AsSpan(0, _headerCount);

    /// <summary>
    /// CGI variables, for a front that gets them ready-made (the uwsgi protocol); empty with HTTP. When there are any they are the environ's request keys, copied as they
    /// are, and nothing is made from <see cref="Method"/>, <see cref="Target"/>, the addresses and <see cref="Headers"/>. Of a repeated name the last one counts.
    /// </summary>
    public virtual ReadOnlySpan<HeaderField> Variables => [];

    /// <summary>
    /// PATH_INFO, decoded, one byte per char, for a front that gets it ready-made (the uwsgi protocol). Null with HTTP: then it is in <see cref="Target"/>.
    /// </summary>
    public virtual string? PathInfo => null;

    /// <summary>When the front had the request head, in <see cref="System.Diagnostics.Stopwatch"/> ticks.</summary>
    public long StartedAt { get; protected set; }

    /// <summary>The request body. One reader at a time: the hub thread, until Complete.</summary>
    public abstract PipeReader Body { get; }

    /// <summary>
    /// What the client shall be told when a read of <see cref="Body"/> failed because of it and the application lets that pass: 408 (it was silent for too long), 413 (more
    /// than is allowed), 400 or 431 (malformed), 499 (it left: nobody is there to be told). 0: no read failed.
    /// </summary>
    public virtual int FaultStatus => 0;

    /// <summary>Cancelled when the client went away. Asking for it may cost an allocation, so only requests that park ask.</summary>
    public abstract CancellationToken ClientGone { get; }

    // ---- The response: filled by the application side before Complete ------------------------------------------------------------------------------------

    /// <summary>Status and headers. Fill, then either <see cref="StartStreaming"/> or <see cref="SetWholeBody"/>.</summary>
    public ResponseHead Head { get; } = new();

    /// <summary>True once the head was handed to the front: status and headers can no longer change.</summary>
    public bool Started { get; protected set; }

    /// <summary>Commits <see cref="Head"/>. After it, <see cref="Output"/> takes the body; the first flush sends head and bytes together. Hub thread.</summary>
    public abstract void StartStreaming();

    /// <summary>The response body when streaming. Its flush does not finish while the client is slow: that is the backpressure. Hub thread.</summary>
    public abstract PipeWriter Output { get; }

    /// <summary>The whole body for <see cref="ExchangeOutcome.Whole"/>.</summary>
    public ReadOnlyMemory<byte> WholeBody => _whole.AsMemory(0, _wholeLength);

    /// <summary>A buffer of exactly <paramref name="length"/> bytes to copy the whole body into; pooled, owned by the exchange, valid until <see cref="Reset"/>.</summary>
    public Span<byte> SetWholeBody(int length)
    {
        if (_whole is null || _whole.Length < length)
        {
            ReturnWhole();
            _whole = ArrayPool<byte>.Shared.Rent(Math.Max(length, 512));
        }

        _wholeLength = length;
        return _whole.AsSpan(0, length);
    }

    /// <summary>The open file for <see cref="ExchangeOutcome.File"/>; the exchange owns it and closes it.</summary>
    public SafeFileHandle? File { get; private set; }

    /// <summary>Where in <see cref="File"/> the body begins, in bytes.</summary>
    public long FileOffset { get; private set; }

    /// <summary>Length of that body in bytes.</summary>
    public long FileLength { get; private set; }

    /// <summary>Makes a part of a regular file the body. The exchange takes the handle over. The caller sets the head's Content-Length to <paramref name="length"/>.</summary>
    public void SetFile(SafeFileHandle file, long offset, long length) => (File, FileOffset, FileLength) = (file, offset, length);

    /// <summary>Set before <see cref="Complete"/>: the connection ends after this response, where the protocol has a connection per request or a sequence of them.</summary>
    public bool ClosesConnection { get; set; }

    /// <summary>Fills head and body with a short plain-text answer of the server's own.</summary>
    /// <param name="status">HTTP status code.</param>
    /// <param name="text">ASCII text; a line end is added.</param>
    public void FillPlain(int status, string text)
    {
        Head.Clear();
        Head.Status = status;
        Head.Add("Content-Type", "text/plain; charset=utf-8");
        var body = SetWholeBody(text.Length + 1);
        System.Text.Encoding.Latin1.GetBytes(text, body);
        body[^1] = (byte)'\n';
        Head.ContentLength = body.Length;
    }

    /// <summary>File descriptor of the client's connection, for <c>uwsgi.connection_fd()</c>; -1 where there is none of its own (HTTP/2 streams).</summary>
    public virtual int SocketFd => -1;

    // ---- What the access log says of it ------------------------------------------------------------------------------------------------------------------

    /// <summary>Number of the core that ran the request; -1 if none did.</summary>
    public int Core { get; set; } = -1;

    /// <summary>How often the request's green thread was switched away from.</summary>
    public long Switches { get; set; }

    /// <summary>Body bytes handed to the front.</summary>
    public long BytesOut { get; set; }

    /// <summary>A read of the request body failed.</summary>
    public bool ReadFailed { get; set; }

    /// <summary>A write of the response failed.</summary>
    public bool WriteFailed { get; set; }

    /// <summary>What the application says about its line; null when it says nothing, which is usual.</summary>
    public LogNotes? LogNotes { get; private set; }

    /// <summary>As <see cref="LogNotes"/>, and makes them when there are none.</summary>
    public LogNotes MakeLogNotes() => LogNotes ??= new();

    // ---- The hand-over -----------------------------------------------------------------------------------------------------------------------------------

    /// <summary>Front: submits the exchange and waits for its outcome. The caller owns the exchange again when the task is done.</summary>
    public ValueTask<ExchangeOutcome> RunAsync(IGatewayApplication application)
    {
        var outcome = new ValueTask<ExchangeOutcome>(this, _completion.Version);
        application.Submit(this);
        return outcome;
    }

    /// <summary>Application side: gives the exchange back. Exactly once; a second call throws <see cref="InvalidOperationException"/>.</summary>
    public void Complete(ExchangeOutcome outcome)
    {
        if (_isComplete) throw new InvalidOperationException("the exchange was given back already");
        _isComplete = true;
        _outcome = outcome;
        ReturnsOn.Schedule(static exchange => ((GatewayExchange)exchange!).Return(), this);
    }

    /// <summary>The share that the requests of this connection have in common; null: each has the connection for itself.</summary>
    public RequestShare? Share { get; protected set; }

    /// <summary>What <see cref="Share"/> knows it by while it holds a part of it; 0: it does not.</summary>
    internal int ShareTicket { get; set; }

    /// <summary><see cref="Share"/> while it holds a part of it. Whoever owns the exchange.</summary>
    protected RequestShare? HeldShare => ShareTicket != 0 ? Share : null;

    /// <summary>Front: the application side has given the exchange back; others of its connection may go.</summary>
    protected void LeaveShare()
    {
        if (ShareTicket == 0) return;
        var ticket = ShareTicket;
        ShareTicket = 0;
        Share!.Leave(ticket);
    }

    /// <summary>Where the front goes on after <see cref="Complete"/>.</summary>
    protected PipeScheduler ReturnsOn { get; set; } = PipeScheduler.ThreadPool;

    private void Return() => _completion.SetResult(_outcome);

    /// <summary>Front: copies <see cref="File"/> to <see cref="Output"/>, which <see cref="StartStreaming"/> has opened, and closes the file.</summary>
    protected async Task<FileCopied> CopyFileAsync()
    {
        using var file = File!;
        File = null;
        // Off the I/O thread: a disk may be slow.
        await Task.Yield();
        var copied = await FileCopy.RunAsync(Output, file, FileOffset, FileLength).ConfigureAwait(false);
        BytesOut = copied.Bytes;
        return copied;
    }

    /// <summary>Front: makes the object ready for the next request. Derived classes extend it.</summary>
    protected virtual void Reset()
    {
        _headers.AsSpan(0, _headerCount).Clear();
        _headerCount = 0;
        Head.Clear();
        Method = Target = Protocol = RemoteAddress = LocalAddress = "";
        Scheme = "http";
        RemotePort = LocalPort = 0;
        ContentLength = null;
        HasBody = false;
        Started = false;
        StartedAt = 0;
        Core = -1;
        Switches = 0;
        BytesOut = 0;
        ReadFailed = WriteFailed = false;
        LogNotes = null;
        _wholeLength = 0;
        ReturnWhole();
        File?.Dispose();
        File = null;
        ClosesConnection = false;
        _isComplete = false;
        _completion.Reset();
    }

    /// <summary>Front: adds one request header.</summary>
    protected void AddHeader(string name, string value)
    {
        if (_headerCount == _headers.Length) Array.Resize(ref _headers, _headers.Length * 2);
        _headers[_headerCount++] = new HeaderField(name, value);
    }

    private void ReturnWhole()
    {
        if (_whole is null) return;
        ArrayPool<byte>.Shared.Return(_whole);
        _whole = null;
    }

    ExchangeOutcome IValueTaskSource<ExchangeOutcome>.GetResult(short token) => _completion.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ExchangeOutcome>.GetStatus(short token) => _completion.GetStatus(token);

    void IValueTaskSource<ExchangeOutcome>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _completion.OnCompleted(continuation, state, token, flags);
}
