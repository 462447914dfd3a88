using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>C's struct pollfd.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PollFd
{
    public const short In = 0x001;
    public const short Pri = 0x002;
    public const short Out = 0x004;
    public const short Err = 0x008;
    public const short Hup = 0x010;
    public const short Invalid = 0x020;
    public const short PeerEnded = 0x2000; // POLLRDHUP

    /// <summary>The descriptor; a negative one is skipped by the kernel.</summary>
    public int Fd;

    /// <summary>What is waited for: <see cref="In"/>, <see cref="Out"/>.</summary>
    public short Events;

    /// <summary>What happened; filled by the kernel.</summary>
    public short Returned;
}
