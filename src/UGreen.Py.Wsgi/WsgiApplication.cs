using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;
using UGreen.Py.Gateway;
using UGreen.Py.Hub;
using UGreen.Py.Wsgi.Control;
using UGreen.Py.Wsgi.Environ;
using UGreen.Py.Wsgi.Harakiri;

namespace UGreen.Py.Wsgi;

/// <summary>
/// The application side of the gateway: takes exchanges in, gives each a core (or lets it wait for one, or answers 503), and knows which request runs on which core.
/// <see cref="Submit"/> may be called by any thread; everything else belongs to the hub thread.
/// </summary>
internal sealed partial class WsgiApplication : IGatewayApplication, IInboxReceiver
{
    // The warning about a full queue must not itself become the load.
    private const long WarnEveryNanoseconds = 1_000_000_000;

    private readonly HubLoop _hub;
    private readonly IClock _clock;
    private readonly ILogger _log;
    private readonly int _queueLimit;
    private readonly Queue<GatewayExchange> _waiting = new();
    private readonly Stack<WsgiRequest> _spare = new();
    private readonly long[] _requestsOfCore;
    private NewRef _serve;
    private long _refused;
    private long _lastWarning = long.MinValue / 2;
    private long _untold;
    private long _lastTold = long.MinValue / 2;
    private int _inFlight;
    private volatile bool _draining;
    private TaskCompletionSource? _idle;

    public WsgiApplication(HubLoop hub, IClock clock, int queueLimit, ILogger log, bool isStrict = false)
    {
        Heads = new HeadParser(isStrict);
        Tolerance = new Tolerance(isStrict, Applications, log);
        (_hub, _clock, _queueLimit, _log) = (hub, clock, queueLimit, log);
        _requestsOfCore = new long[hub.CountOf(CoreKind.Request)];
        hub.CoreFreed = TakeNext;
    }

    public EnvironBuilder Environ { get; private set; } = null!;

    public HeadParser Heads { get; }

    public Tolerance Tolerance { get; }

    public ApplicationTable Applications { get; } = new();

    public ILogger Log => _log;

    public HubLoop Hub => _hub;

    public IClock Clock => _clock;

    /// <summary>Where running requests are shown.</summary>
    public IRequestBoard Board { get; init; } = NoRequestBoard.Instance;

    /// <summary>Ends requests that take too long; null: nobody does.</summary>
    public HarakiriWatch? Harakiri { get; set; }

    /// <summary>Sets what each request runs (the driver's <c>serve</c>) and where its environ comes from. Before the first request.</summary>
    public void Start(NewRef serve, EnvironBuilder environ) => (_serve, Environ) = (serve, environ);

    /// <inheritdoc/>
    public void Submit(GatewayExchange exchange)
    {
        if (_draining)
        {
            Refuse(exchange, "the server is stopping");
            return;
        }

        _hub.Inbox.Post(this, exchange, 0);
    }

    /// <summary>The request on this green thread; a Python SystemError when it runs none (a spawned function).</summary>
    public static WsgiRequest RequestOf(GreenThread green)
        => green.Occupant as WsgiRequest ?? throw HubCallException.System("you can call uwsgi api function only from the main callable");

    public void Receive(object? payload, long token)
    {
        var exchange = (GatewayExchange)payload!;
        _inFlight++;
        if (_hub.FreeCores > 0) Run(exchange);
        else if (_waiting.Count < _queueLimit) _waiting.Enqueue(exchange);
        else RefuseFull(exchange);
    }

    public void Post(WsgiRequest request, long serial) => _hub.Inbox.Post(request, null, serial);

    /// <summary>Counts a request of a core and returns how many it had before.</summary>
    public long CountRequest(int core) => _requestsOfCore[core]++;

    /// <summary>A request's green thread has ended; the driver always gives the exchange back before, unless Python itself failed.</summary>
    public void Exited(WsgiRequest request, nint result)
    {
        new NewRef(result).Dispose();
        if (result == 0)
        {
            var error = PythonException.Fetch();
            DriverFailed(request.Title, error.Traceback);
            request.Failed();
        }

        if (request.State == ResponseState.Streaming) request.Finish(ExchangeOutcome.Aborted);
        else request.FinishWith(500, "Internal Server Error");
        _spare.Push(request);
        Left();
    }

    /// <summary>Something that a graceful stop shall wait for has begun, as for a request. Hub thread.</summary>
    public void Entered() => _inFlight++;

    /// <summary>It has ended. Hub thread.</summary>
    public void Left()
    {
        _inFlight--;
        if (_inFlight == 0) _idle?.TrySetResult();
    }

    /// <summary>Any thread: no new requests from now on; the task is done when none runs or waits any more.</summary>
    public Task DrainAsync()
    {
        _draining = true;
        var idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _hub.Inbox.Post(new DrainMessage(this, idle), null, 0);
        return idle.Task;
    }

    /// <summary>Whether a line about what a client did wrong may be written: one a second, for who can cause one can cause thousands. Hub thread.</summary>
    /// <param name="unsaid">How many were not written since the last.</param>
    public bool MayTellOfClient(out long unsaid)
    {
        unsaid = _untold;
        var now = _clock.Now;
        if (now - _lastTold < WarnEveryNanoseconds)
        {
            _untold++;
            return false;
        }

        (_lastTold, _untold) = (now, 0);
        return true;
    }

    private void Run(GatewayExchange exchange)
    {
        var request = _spare.TryPop(out var spare) ? spare : new WsgiRequest(this);
        request.Begin(exchange);
        if (!_hub.TrySpawn(request, _serve.Borrow())) throw new HubInvariantException("a free core could not be taken");
    }

    private void TakeNext()
    {
        if (_waiting.TryDequeue(out var next)) Run(next);
    }

    private void RefuseFull(GatewayExchange exchange)
    {
        _refused++;
        var now = _clock.Now;
        if (now - _lastWarning >= WarnEveryNanoseconds)
        {
            _lastWarning = now;
            QueueFull(_requestsOfCore.Length, _queueLimit, _refused);
            _refused = 0;
        }

        Refuse(exchange, "all cores are busy");
        Left();
    }

    private static void Refuse(GatewayExchange exchange, string why)
    {
        exchange.FillPlain(503, "Service Unavailable: " + why);
        exchange.Head.Add("Retry-After", "1");
        exchange.BytesOut = exchange.WholeBody.Length;
        exchange.Complete(ExchangeOutcome.Whole);
    }

    [LoggerMessage(EventId = 200, Level = LogLevel.Warning, Message = "all {Cores} cores are busy and {Limit} requests wait: {Refused} answered 503 (raise --async or --async-queue)")]
    private partial void QueueFull(int cores, int limit, long refused);

    [LoggerMessage(EventId = 201, Level = LogLevel.Error, Message = "the driver failed in {Title}\n{Traceback}")]
    private partial void DriverFailed(string title, string traceback);

    private sealed class DrainMessage(WsgiApplication owner, TaskCompletionSource idle) : IInboxReceiver
    {
        public void Receive(object? payload, long token)
        {
            owner._idle = idle;
            if (owner._inFlight == 0) idle.TrySetResult();
        }
    }
}
