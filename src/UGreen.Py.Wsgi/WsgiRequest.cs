using System.Diagnostics;
using System.IO.Pipelines;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Gateway;
using UGreen.Py.Hub;
using UGreen.Py.Wsgi.Calls.Pausing;
using UGreen.Py.Wsgi.Harakiri;

namespace UGreen.Py.Wsgi;

/// <summary>
/// One request while it has a core. Objects are reused; <see cref="_serial"/> tells one use from the next. Hub thread.
/// <para>
/// Invariant: <see cref="Exchange"/> is set exactly while the application side owns the exchange; every path ends in one <see cref="Finish"/>, which gives it back.
/// </para>
/// </summary>
internal sealed class WsgiRequest(WsgiApplication owner) : IGreenOccupant, IInboxReceiver
{
    private long _serial;
    private string _method = "";
    private string _target = "";
    private CancellationTokenRegistration _clientGone;
    private HubTimer? _readTimer;
    private long _readSerial;
    private NewRef _departure;
    private bool _failed;

    /// <summary>The exchange; null once it was given back.</summary>
    public GatewayExchange? Exchange { get; private set; }

    public GreenThread? Green { get; private set; }

    public ResponseState State { get; private set; }

    /// <summary>The client went away; the next write says so.</summary>
    public bool ClientGone { get; private set; }

    /// <summary>How many requests this core had finished before: <c>uwsgi.request_id()</c>.</summary>
    public long Id { get; private set; }

    /// <summary>HEAD, and the statuses that have no body.</summary>
    public bool IsBodyless => Exchange is { } e && ResponseRules.HasNoBody(e.Method, e.Head.Status);

    /// <summary>Method and path for the log, valid after the exchange was given back, too.</summary>
    public string Title => _method + " " + _target;

    /// <summary>When it got its core, on the hub's clock.</summary>
    public long Began { get; private set; }

    /// <summary>Tells this use of the object from all others.</summary>
    public long Serial => Volatile.Read(ref _serial);

    /// <summary>Number of the application that serves it; of several the dispatcher says which.</summary>
    public int Application { get; set; }

    /// <summary>How long it may take; null when no request on this object had a limit.</summary>
    public RequestLimits? Limits { get; set; }

    /// <summary>Body bytes taken from the application.</summary>
    public long BytesOut { get; private set; }

    /// <summary>Position in the chunk that is being sent, in bytes; for a send that parked.</summary>
    public int SendOffset { get; set; }

    /// <summary>Text of the OSError with which a read of the body failed; null: none did.</summary>
    public string? BodyFault { get; set; }

    /// <summary>The flush or read that a parked green thread waits for.</summary>
    public ValueTask<FlushResult> PendingFlush { get; set; }

    public ValueTask<ReadResult> PendingRead { get; set; }

    /// <summary>Which of the two it is parked for.</summary>
    public PendingOperation Pending { get; set; }

    /// <summary>A read of the body that nobody waits for any more (time-out, or it was only to be tried); the next read goes on with it.</summary>
    public Task<ReadResult>? UnfinishedRead { get; set; }

    /// <summary>All of the request body was read, or there is none.</summary>
    public bool BodyEnded { get; set; }

    /// <summary>The copy of a file that a parked green thread waits for.</summary>
    public Task<FileCopied>? PendingFile { get; set; }

    /// <summary>The pause that its green thread is in.</summary>
    public PausedRequest? Paused { get; set; }

    /// <summary>Length of the request body in bytes as the client declared it; 0 without a declared one.</summary>
    public long DeclaredBody { get; private set; }

    /// <summary>Some bytes of the response could not be sent: it must not look complete.</summary>
    public bool IsBroken { get; private set; }

    public void Begin(GatewayExchange exchange)
    {
        Exchange = exchange;
        (_method, _target) = (exchange.Method, exchange.Target);
        State = ResponseState.None;
        ClientGone = IsBroken = false;
        DeclaredBody = exchange.ContentLength ?? 0;
        BodyEnded = !exchange.HasBody;
        BytesOut = 0;
        SendOffset = 0;
        BodyFault = null;
        Application = 0;
        _failed = false;
        _serial++;
    }

    /// <summary>The green thread that runs this request made its first hub call.</summary>
    public void Attach(GreenThread green)
    {
        Green = green;
        Id = owner.CountRequest(green.Number);
        if (Exchange is { } e) e.Core = green.Number;
        var now = owner.Clock.Now;
        owner.Board.Begin(green.Number, _method, _target, now);
        Began = now;
        owner.Harakiri?.Begin(this, now);
    }

    /// <summary>Bytes of the body that the application's Content-Length still leaves; -1: it gave none, or the response is complete.</summary>
    public long LengthLeft => Exchange?.Head.ContentLength is { } length ? Math.Max(0, length - BytesOut) : -1;

    /// <summary>The application raised, and not because its client left.</summary>
    public void Failed() => _failed = true;

    public void HeadGiven() => State = ResponseState.Head;

    /// <summary>Another head is about to take the place of the first; should it be refused, there is none.</summary>
    public void HeadWithdrawn() => State = ResponseState.None;

    public void StreamingStarted() => State = ResponseState.Streaming;

    public void CountBody(long bytes) => BytesOut += bytes;

    /// <summary>However it goes on, the response ends as one that broke off.</summary>
    public void BreakOff() => IsBroken = true;

    /// <summary>Wakes the green thread with <see cref="WakeCause.Timeout"/> if it is still in the wait of that serial then.</summary>
    /// <param name="nanoseconds">From now.</param>
    /// <param name="serial">Of the wait.</param>
    public void ArmRead(long nanoseconds, long serial)
    {
        _readTimer ??= new HubTimer(static timer =>
        {
            var request = (WsgiRequest)timer.Owner;
            request.Green?.TryWake(request._readSerial, WakeCause.Timeout);
        }, this);
        _readSerial = serial;
        owner.Hub.Timers.Arm(_readTimer, owner.Clock.Now + nanoseconds);
    }

    /// <summary>The wait is over.</summary>
    public void DisarmRead()
    {
        if (_readTimer is { IsArmed: true }) owner.Hub.Timers.Disarm(_readTimer);
    }

    /// <summary>
    /// Called when the green thread leaves the CPU: from now on a departed client must wake it. Only now, because asking for the token costs the front an allocation that
    /// a request which never waits need not pay.
    /// </summary>
    public void WatchClient()
    {
        if (Exchange is not { } e || _clientGone != default) return;
        var serial = _serial;
        _clientGone = e.ClientGone.UnsafeRegister(_ => owner.Post(this, serial), null);
    }

    /// <summary>From now on a departed client raises this in the green thread, whatever it waits for.</summary>
    /// <param name="exception">An exception object; taken over.</param>
    /// <returns>False: another one is set already.</returns>
    public bool TellDeparture(NewRef exception)
    {
        if (!_departure.IsNull)
        {
            exception.Dispose();
            return false;
        }

        _departure = exception;
        WatchClient();
        return true;
    }

    /// <summary>Takes it back; true when it was not raised and will not be.</summary>
    public bool ForgetDeparture()
    {
        if (_departure.IsNull) return false;
        var early = !ClientGone || (Green?.Forgive(_departure.Borrow()) ?? false);
        DropDeparture();
        return early;
    }

    private void DropDeparture()
    {
        var dropped = _departure;
        _departure = default;
        dropped.Dispose();
    }

    /// <summary>A read or write failed because the client went away.</summary>
    public void LostClient() => ClientGone = true;

    /// <summary>The front says that the client went away (token: the use of this object that it was watched for).</summary>
    public void Receive(object? payload, long token)
    {
        if (token != _serial || Exchange is null || Green is not { } green) return;
        ClientGone = true;
        Paused?.ClientLeft();
        if (!_departure.IsNull)
        {
            CApi.Py_IncRef(_departure.Borrow());
            green.Interrupt(new NewRef(_departure.Address));
            return;
        }

        // A request body read or a flush in progress is ended by the front itself, with an error; a suspended one only we can wake.
        if (!green.IsParkedFor(ParkReason.Suspended)) return;
        green.Waits.Clear();
        green.Wake(WakeCause.ClientGone);
    }

    /// <summary>Gives the exchange back to the front.</summary>
    public void Finish(ExchangeOutcome outcome)
    {
        if (Exchange is not { } e) return;
        e.Switches = Green?.Switches ?? 0;
        e.BytesOut = BytesOut;
        Exchange = null;
        State = ResponseState.Done;

        // Unregister, not Dispose: it must not wait for a callback that runs just now. A late callback carries an old serial.
        _clientGone.Unregister();
        _clientGone = default;
        if (UnfinishedRead is { } read) CompleteAfter(read, e, outcome);
        else e.Complete(outcome);
    }

    // The front must not get back an exchange whose body is still being read: it could neither pass over what is left nor begin anew.
    private void CompleteAfter(Task<ReadResult> read, GatewayExchange e, ExchangeOutcome outcome)
    {
        UnfinishedRead = null;
        e.Body.CancelPendingRead();
        _ = read.ContinueWith(
            done =>
            {
                if (done.IsCompletedSuccessfully) e.Body.AdvanceTo(done.Result.Buffer.Start);
                _ = done.Exception; // seen: a client that broke off while nobody was reading harms nobody
                e.Complete(outcome);
            },
            CancellationToken.None,
            TaskContinuationOptions.None,
            TaskScheduler.Default);
    }

    /// <summary>Answers with a page of our own. Only before anything was sent.</summary>
    public void FinishWith(int status, string text)
    {
        if (Exchange is not { } e) return;
        Debug.Assert(State is ResponseState.None or ResponseState.Head, "the head was sent already");
        e.FillPlain(status, text);
        BytesOut = e.WholeBody.Length;
        Finish(ExchangeOutcome.Whole);
    }

    void IGreenOccupant.LeftCpu(GreenThread green) => WatchClient();

    // Only what is pending: a pipe would keep the cancellation of the other for its next use.
    void IGreenOccupant.CancelOperation(GreenThread green)
    {
        if (Pending == PendingOperation.Flush) Exchange?.Output.CancelPendingFlush();
        else if (Pending == PendingOperation.Read) Exchange?.Body.CancelPendingRead();
        else if (Pending == PendingOperation.Pause) Paused?.Interrupt();
    }

    void IGreenOccupant.Exited(GreenThread green, nint result)
    {
        DropDeparture();
        owner.Exited(this, result);

        if (Limits is { } limits) owner.Harakiri?.End(limits, owner.Clock.Now);

        // Only now: until close() has returned the core is not free, whether the client has its response or not.
        if (Green is not null)
        {
            owner.Board.End(green.Number, owner.Clock.Now, BytesOut, _failed);
            owner.Applications.Count(Application, _failed);
        }

        Green = null;
        _serial++;
    }
}
