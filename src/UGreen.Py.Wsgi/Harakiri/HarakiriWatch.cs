using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;
using UGreen.Py.Wsgi.Control;

namespace UGreen.Py.Wsgi.Harakiri;

/// <summary>
/// Ends requests that are over their limit (docs/adr/0029).
/// <para>
/// A thread of its own looks at all running requests every few hundredths of a second, without the GIL and whatever the hub does. It raises nothing itself. For a request that
/// is over its limit it asks twice: through the hub's inbox, which is read when the request waits (<see cref="Receive"/>), and, when the request is the one that runs, by
/// a pending call of Python's (<see cref="StrikeRunning"/>), which is made between two of its bytecodes.
/// </para>
/// <para>
/// Both are served on the hub thread with the GIL, and both look again whether the request is over its limit. So the decision and the raising are one step that nothing
/// comes between: there is no exception on its way that could meet another request, and nothing to take back. Whichever comes first acts and sets the limit to "never";
/// the other one then finds nothing to do.
/// </para>
/// <list type="bullet">
/// <item>The request ends, and another begins on its core, before the question is served: the new one's limit is its own, and not exceeded.</item>
/// <item>A pending call that is served in a hub call's handler (a fileno() of the application's) or in a finalizer on the main stack: it sees that it is not on
/// the green thread's stack.</item>
/// <item>In the shim's own code, whose locks and queues must stay whole, and in the driver: it sees the file of the frame. The watch asks again.</item>
/// <item>After the response was completed (close()): the exchange is gone, so a request that computes is left alone; where it waits it is interrupted.</item>
/// <item>The inbox's exception waits to be raised, and the request computes instead of waiting: the pending call raises that one.</item>
/// </list>
/// </summary>
[SuppressMessage("Reliability", "CA1001:Types that own disposable fields should be disposable", Justification = "The watch ends with the process.")]
internal sealed partial class HarakiriWatch : IInboxReceiver
{
    private const long NanosecondsPerMillisecond = 1_000_000;

    // How exact a limit is: a tenth of it, but no more wake-ups than a hundred a second and no fewer than ten.
    private const long LeastTick = 10 * NanosecondsPerMillisecond;
    private const long MostTick = 100 * NanosecondsPerMillisecond;

    // Python serves a pending call within microseconds when it runs bytecode at all.
    private const long HeldUpAfter = 1000 * NanosecondsPerMillisecond;

    private readonly HubLoop _hub;
    private readonly IClock _clock;
    private readonly ILogger _log;
    private readonly IRequestBoard _board;
    private readonly IServerControl _control;
    private readonly long _limit;
    private readonly long _grace;
    private readonly string _ownCode;
    // Set when the tick has become shorter. As long as the process: the watch never ends.
    private readonly AutoResetEvent _shorter = new(false);
    private long _tick = MostTick;
    private long _postedAt;
    private Thread? _thread;
    private NewRef _type;

    public HarakiriWatch(WsgiSettings settings, HubLoop hub, IClock clock, ILogger log)
    {
        (_hub, _clock, _log, _board, _control) = (hub, clock, log, settings.Board, settings.Control);
        _limit = (long)(settings.Harakiri.TotalMilliseconds * NanosecondsPerMillisecond);
        _grace = (long)(settings.HarakiriGrace.TotalMilliseconds * NanosecondsPerMillisecond);
        _ownCode = settings.ShimPath.TrimEnd('/') + "/";
    }

    /// <summary>After the shim was imported, before the first request.</summary>
    public void Start()
    {
        using var module = CApi.PyImport_ImportModule("ugreen._harakiri").OrThrow();
        _type = CApi.PyObject_GetAttrString(module.Borrow(), "Harakiri").OrThrow();
        PendingCall.Install(_hub.RunningCell, StrikeRunning);
        PendingCall.Install(_hub.RunningCell, () => _hub.RaiseTold(IsInOwnCode));
        if (_limit > 0) Watch(_limit);
    }

    /// <summary>A request got its core.</summary>
    public void Begin(WsgiRequest request, long now)
    {
        if (_limit <= 0) return;
        var limits = request.Limits ??= new RequestLimits(request);
        limits.SetServer(now + _limit, _grace);
        ShowKillTime(limits);
    }

    /// <summary>The application's own limit for its request; 0: none any more.</summary>
    public void SetUser(WsgiRequest request, long nanoseconds)
    {
        if (nanoseconds <= 0 && request.Limits is null) return;
        var limits = request.Limits ??= new RequestLimits(request);
        limits.SetUser(nanoseconds <= 0 ? long.MaxValue : _clock.Now + nanoseconds, _grace);
        ShowKillTime(limits);
        if (nanoseconds > 0) Watch(nanoseconds);
    }

    /// <summary>The request has ended.</summary>
    public void End(RequestLimits limits, long now)
    {
        if (limits is { IsStruck: true, IsTold: false })
        {
            var request = limits.Request;
            EndedItself(request.Title, request.Green?.Number ?? -1, (now - request.Began) / 1e9);
        }

        limits.Clear();
    }

    /// <summary>From the watch, by the inbox: the request waits, or is ready to run.</summary>
    public void Receive(object? payload, long token)
    {
        var limits = (RequestLimits)payload!;
        if (limits.Request.Serial != token || limits.Request.Green is not { } green || limits.Due > _clock.Now) return;
        if (!TryStrike(green, limits)) return;
        CApi.Py_IncRef(limits.Exception);
        green.Interrupt(new NewRef(limits.Exception.Address), replace: true);
    }

    /// <summary>From the watch, by Python, between two bytecodes. True: the exception is set.</summary>
    private bool StrikeRunning()
    {
        if (_hub.Current is not { } green || green.Occupant is not WsgiRequest { Exchange: not null, Limits: { } limits } || !green.IsOnItsStack) return false;
        var isDue = limits.Due <= _clock.Now;
        if ((!isDue && !IsOnItsWay(green, limits)) || IsInOwnCode()) return false;

        // What waits to be raised may be somebody else's, and then it is not our turn.
        if (isDue ? !TryStrike(green, limits) : !green.Forgive(limits.Exception)) return false;
        CApi.PyErr_SetObject(_type.Borrow(), limits.Exception);
        return true;
    }

    private static bool IsOnItsWay(GreenThread green, RequestLimits limits) => limits.IsStruck && green.IsInterrupted;

    private bool TryStrike(GreenThread green, RequestLimits limits)
    {
        var now = _clock.Now;
        var exception = MakeException((now - limits.Request.Began) / 1e9);
        if (exception.IsNull)
        {
            CApi.PyErr_Clear(); // no memory: the watch asks again
            return false;
        }

        // The one before is over: it was raised, or this one takes its place.
        if (limits.IsStruck) green.Forgive(limits.Exception);
        else _board.Harakiri(green.Number);
        limits.Strike(now, exception);
        return true;
    }

    // Runs no Python code, so what was decided before still holds afterwards: Harakiri is a class without code of its own.
    private NewRef MakeException(double seconds)
    {
        using var pause = CollectorPause.Begin();
        using var message = PyText.FromText(string.Create(CultureInfo.InvariantCulture, $"the request took longer than it may: {seconds:0.###} s"));
        using var args = message.IsNull ? default : CApi.PyTuple_New(1);
        if (args.IsNull) return default;
        CApi.Py_IncRef(message.Borrow());
        _ = CApi.PyTuple_SetItem(args.Borrow(), 0, message.Address);
        return CApi.PyObject_CallObject(_type.Borrow(), args.Borrow());
    }

    // Nor in Python's codecs: C calls them to make the text of its error, and takes the exception for a failure of that. psycopg2 then forgets to mark a connection that is broken.
    private bool IsInOwnCode()
        => PyFrames.CurrentFile() is not { } name || name.StartsWith(_ownCode, StringComparison.Ordinal) || name.Contains("/encodings/", StringComparison.Ordinal) || name.StartsWith("<frozen encodings", StringComparison.Ordinal);

    private void ShowKillTime(RequestLimits limits)
    {
        if (limits.Request.Green is { } green) _board.SetKillTime(green.Number, limits.KillTime == long.MaxValue ? 0 : limits.KillTime);
    }

    // Hub thread: the watch runs only when there is something to watch, and then for good.
    private void Watch(long limit)
    {
        var tick = Math.Clamp(limit / 10, LeastTick, MostTick);
        if (tick < _tick)
        {
            Volatile.Write(ref _tick, tick);
            _shorter.Set();
        }

        if (_thread is not null) return;
        _thread = new Thread(Run) { Name = "ugreen harakiri", IsBackground = true };
        _thread.Start();
    }

    private void Run()
    {
        while (true)
        {
            _shorter.WaitOne((int)(Volatile.Read(ref _tick) / NanosecondsPerMillisecond));
            var now = _clock.Now;
            foreach (var green in _hub.Greens)
            {
                if (green.Occupant is WsgiRequest { Limits: { } limits }) Look(green, limits, now);
            }
        }
    }

    private void Look(GreenThread green, RequestLimits limits, long now)
    {
        var request = limits.Request;
        var (serial, began, due, kill) = (request.Serial, request.Began, limits.Due, limits.KillTime);
        var isRunning = _hub.Current == green;
        if (due <= now && limits.Marks.Asked != due)
        {
            limits.Marks.Asked = due;
            _hub.Inbox.Post(this, limits, serial);
        }

        if (isRunning && (due <= now || IsOnItsWay(green, limits))) AskRunning(request, limits.Marks, serial, began, now);
        if (kill <= now && limits.Marks.StuckTold != kill && request.Serial == serial && _control.MasterPid == 0)
        {
            limits.Marks.StuckTold = kill;
            Stuck(request.Title, green.Number, (now - began) / 1e9);
        }
    }

    private void AskRunning(WsgiRequest request, WatchMarks marks, long serial, long began, long now)
    {
        if (PendingCall.TryPost())
        {
            _postedAt = now;
            return;
        }

        if (now - _postedAt < HeldUpAfter || marks.HoldUpTold == began || request.Serial != serial) return;
        marks.HoldUpTold = began;
        HoldsUp(request.Title, request.Green?.Number ?? -1, (now - began) / 1e9);
    }

    [LoggerMessage(EventId = 281, Level = LogLevel.Error, Message = "harakiri: {Title} on core {Core} took too long; the application went on and ended it after {Seconds:0.###} s")]
    private partial void EndedItself(string title, int core, double seconds);

    [LoggerMessage(EventId = 282, Level = LogLevel.Error, Message = "harakiri: {Title} on core {Core}, which began {Seconds:0.###} s ago, is in a call outside Python that does not return: it holds up all requests of this worker")]
    private partial void HoldsUp(string title, int core, double seconds);

    [LoggerMessage(EventId = 283, Level = LogLevel.Error, Message = "harakiri: {Title} on core {Core} is stuck: it began {Seconds:0.###} s ago and does not end; with --master the worker would be replaced")]
    private partial void Stuck(string title, int core, double seconds);
}
