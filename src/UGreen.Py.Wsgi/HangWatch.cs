using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;
using UGreen.Py.Hub;
using UGreen.Py.Native;

namespace UGreen.Py.Wsgi;

/// <summary>
/// Tells when the hub hangs: one green thread keeps the CPU, or blocks the OS thread, while others wait (docs/adr/0037). One line with the request and its Python stack, and one when it
/// is over.
/// <para>
/// A thread of its own looks twice a second at a counter that the hub writes anyway, so the hub pays nothing. It takes the GIL only to read a stack, and not itself: a C function that
/// keeps the GIL would stop it, too.
/// </para>
/// </summary>
[SuppressMessage("Reliability", "CA1001:Types that own disposable fields should be disposable", Justification = "The watch ends with the process.")]
internal sealed partial class HangWatch(HubLoop hub, nint threadState, IClock clock, ILogger log, DeadlockWatch deadlocks, CallBoard calls)
{
    private const long NanosecondsPerMillisecond = 1_000_000;

    /// <summary>
    /// A page that computes for a second or two is slow and no fault of the server's; after three seconds users reload, and proxies begin to give up.
    /// </summary>
    private const long HangsAfter = 3000 * NanosecondsPerMillisecond;

    private const int TickMilliseconds = 500;

    // Code that computes in Python lets go of the GIL within 5 ms, so whoever does not in this time is in C.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    private readonly ManualResetEvent _never = new(false);
    private readonly int _hubThread = OwnProcess.ThreadId;
    private long _seenResumes = -1;
    private long _since;
    private string? _told;

    /// <summary>Hub thread.</summary>
    public void Start() => new Thread(Run) { Name = "ugreen hang watch", IsBackground = true }.Start();

    private void Run()
    {
        while (!_never.WaitOne(TickMilliseconds))
        {
            var now = clock.Now;
            Look(now);
            deadlocks.Tick(now);
            calls.Tick(now);
        }
    }

    private void Look(long now)
    {
        var resumes = hub.Resumes;
        if (resumes != _seenResumes || !hub.IsBusy)
        {
            if (_told is { } what) GoesOn(what, (now - _since) / 1e9);
            (_seenResumes, _since, _told) = (resumes, now, null);
            return;
        }

        if (now - _since < HangsAfter || _told is not null || !hub.HasWork) return;
        var running = hub.Current;
        _told = Describe(running);
        var call = KernelCall.Of(_hubThread);
        if (call is not null && running?.Occupant is WsgiRequest) calls.Hangs(running.Number, call);
        var stack = Stack(resumes);
        if (stack is null) HoldsUpInC(_told, (now - _since) / 1e9, call is null ? "" : $" ({call})");
        else HoldsUp(_told, (now - _since) / 1e9, call is null ? "it is here" : $"it is in {call}, here", stack);
    }

    // It may have ended meanwhile, and then this is about the next one; that is but a line in the log.
    private static string Describe(GreenThread? green) => green?.Occupant switch
    {
        null => "the server itself",
        WsgiRequest request => $"{request.Title} on core {green.Number}",
        _ => $"a spawned green thread on core {green.Number}",
    };

    /// <summary>Null: the GIL was not to be had.</summary>
    private string? Stack(long resumes)
    {
        string? text = null;
        var reader = new Thread(() => Volatile.Write(ref text, BlockedStack.Read(threadState, () => hub.Resumes == resumes))) { Name = "ugreen stack", IsBackground = true };
        reader.Start();
        return reader.Join(s_patience) ? Volatile.Read(ref text) : null;
    }

    [LoggerMessage(EventId = 721, Level = LogLevel.Warning, Message = "{What} holds up all other requests of this worker: it has kept the hub for {Seconds:0.0} s (blocking code? see ugreen.run_in_thread); {Where}:\n{Stack}")]
    private partial void HoldsUp(string what, double seconds, string where, string stack);

    [LoggerMessage(EventId = 722, Level = LogLevel.Warning, Message = "{What} holds up all other requests of this worker: it has kept the hub for {Seconds:0.0} s and is in a call outside Python{Call} that keeps Python's lock (GIL), so its Python stack cannot be read")]
    private partial void HoldsUpInC(string what, double seconds, string call);

    [LoggerMessage(EventId = 723, Level = LogLevel.Warning, Message = "{What} holds up the others no more; it kept the hub for {Seconds:0.0} s")]
    private partial void GoesOn(string what, double seconds);
}
