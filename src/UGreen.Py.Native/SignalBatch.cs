namespace UGreen.Py.Native;

/// <summary>
/// Holds back the signals that a thread gives to others until it has done a round of work, so that the others are woken once for all of it.
/// <para>
/// Invariant: who opens a batch on a thread closes it before that thread sleeps, or computes for long: until then those who are to be woken sleep on, and no other poster wakes
/// them, because he sees that somebody is about to.
/// </para>
/// </summary>
public static class SignalBatch
{
    // More sleepers than that are signalled at once.
    private const int Room = 4;

    [ThreadStatic]
    private static Held? s_held;

    private sealed class Held
    {
        public readonly EventFd?[] Signals = new EventFd?[Room];
        public int Count;
        public bool IsOpen;
    }

    /// <summary>From now on <see cref="EventFd.SignalSoon"/> on this thread waits for <see cref="Close"/>.</summary>
    public static void Open() => (s_held ??= new Held()).IsOpen = true;

    /// <summary>Gives the signals. Does nothing when no batch is open.</summary>
    public static void Close()
    {
        if (s_held is not { IsOpen: true } held) return;
        held.IsOpen = false;
        for (var i = 0; i < held.Count; i++)
        {
            held.Signals[i]!.Signal();
            held.Signals[i] = null;
        }

        held.Count = 0;
    }

    /// <returns>False: no batch is open, or it is full.</returns>
    internal static bool TryHold(EventFd signal)
    {
        if (s_held is not { IsOpen: true } held || held.Count == Room) return false;
        held.Signals[held.Count++] = signal;
        return true;
    }
}
