using System.Runtime.CompilerServices;
using UGreen.Py.CPython;
using UGreen.Py.Hub.Blocking;
using UGreen.Py.Machine;
using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub;

/// <summary>
/// Calls of the C library that would wait: they come by the second door (adr/0040), in the middle of C code, mostly with the GIL released.
/// <para>
/// Invariant: between <see cref="GreenSwitch.Enter"/>'s return with such a call and <see cref="BlockingCalls.Begin"/>, and between <see cref="LeaveBlocking"/> and the switch, the GIL may be
/// anybody's; nothing of Python's is touched there.
/// </para>
/// </summary>
public sealed partial class HubLoop
{
    private BlockingCalls? _blocking;
    private PreloadedStubs? _stubs;
    private (GreenStacks Stacks, nint Door) _door;

    /// <summary>How often calls of the C library have waited, by function.</summary>
    public IEnumerable<(string Name, long Count)> BlockingCounts => _blocking?.Counts ?? [];

    /// <summary>From the first pass of <see cref="Run"/> on, calls of the C library on green stacks wait green.</summary>
    /// <param name="stubs">What stands before the C library in this process.</param>
    /// <param name="stacks">The green stacks.</param>
    /// <param name="door">Of this hub's switch.</param>
    /// <param name="threads">Most OS threads for calls that cannot become readiness.</param>
    public void ServeBlockingCalls(PreloadedStubs stubs, GreenStacks stacks, WaitDoor door, int threads)
    {
        AssertHubThread();
        _blocking = new BlockingCalls(this, stubs, _clock, _log, threads);
        _stubs = stubs;
        _door = (stacks, door.Address);
    }

    /// <summary>What a green thread waits for within a call of the C library; null: for something else.</summary>
    public static string? DescribeBlocking(GreenThread green) => BlockingCalls.Describe(green);

    /// <summary>The lock for which a green thread waits within a call of the C library; null: for none. Any thread with the GIL.</summary>
    public static LockWait? LockWaitOf(GreenThread green) => BlockingCalls.LockWaitOf(green);

    /// <summary>How many green threads wait for locks. Any thread; may be out of date.</summary>
    public int LockWaits => _blocking is { } calls ? calls.Semaphores.Count + calls.Mutexes.Count : 0;

    /// <summary>The lowest <see cref="GreenThread.Id"/> that a green thread can get that is started from now on.</summary>
    internal long FirstIdNow() => _roster.FirstIdAfter(_roster.Spawned);

    /// <summary>
    /// Between two lines of Python: raises the exception whose wait was ended softly. True: it is set.
    /// </summary>
    /// <param name="isOwnCode">The code that runs is the server's own, whose state must stay whole: not there.</param>
    public bool RaiseTold(Func<bool> isOwnCode)
    {
        if (Interrupts == 0 || Current is not { IsTold: true, IsInterrupted: true } green || !green.IsOnItsStack) return false;
        if (isOwnCode())
        {
            PendingCall.PostHere();
            return false;
        }

        green.TakeInterrupt()!.Raise();
        return true;
    }

    private void OpenDoor() => _stubs?.Open(_door.Stacks.Low, _door.Stacks.High - _door.Stacks.Low, _switch.CellAddress, _door.Door, _wakeUp.Fd);

    // A release that comes from now on wakes the hub.
    private bool TryPrepareBlockingSleep()
    {
        if (_blocking is null || _blocking.TryPrepareSleep()) return true;
        Inbox.EndSleep();
        return false;
    }

    private void CloseDoor() => _stubs?.Close();

    /// <summary>Serves the call by which a green thread came back, and those that follow, as long as they need not wait.</summary>
    /// <returns>What it came back with at last; None: it waits.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Arrival ServeBlocking(GreenThread green)
    {
        while (true)
        {
            if (!_blocking!.TryAtOnce(green))
            {
                if (!Settle(green, _blocking.Begin(green, _state.ThreadState))) return Arrival.None;
                LeaveBlocking(green);
            }

            var arrival = _switch.Enter(green.Core);
            if (arrival != Arrival.NativeCall) return arrival;
        }
    }

    /// <summary>The call goes on after a wait: the caller gets back what it had, the GIL last of all.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void LeaveBlocking(GreenThread green)
    {
        green.LeavesBlocking = false;
        if (Interrupts > 0 && green.IsInterrupted)
        {
            green.IsTold = true;
            PendingCall.PostHere();
        }

        var wait = green.Blocking!;
        OpenSslWatch.PutBack(wait.Errors);
        wait.Errors = null;
        wait.Handover.GiveBack();
    }
}
