namespace UGreen.Py.Hub;

/// <summary>What a parked green thread waits for. Each event source wakes only those that wait for it.</summary>
public enum ParkReason : byte
{
    /// <summary>Not parked.</summary>
    None,

    /// <summary>In a suspend: an fd, a deadline, or a departed client.</summary>
    Suspended,

    /// <summary>One operation of its own: request body, response flush, a thread's result.</summary>
    Operation,

    /// <summary>One fd of its own, aside from what it has registered for its next suspend; see <see cref="GreenThread.OneWait"/>.</summary>
    OneFd,

    /// <summary>Another green thread's or thread's release, see <see cref="PermitWait"/>.</summary>
    Permit,

    /// <summary>Within a call of the C library: a time, or a lock.</summary>
    Blocked,
}
