using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>C's struct epoll_event. The kernel packs it on x86-64 only (12 bytes), which Pack = 4 gives; other architectures need 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
public struct EpollEvent
{
    /// <summary>A set of <see cref="EpollEvents"/>.</summary>
    public uint Events;

    /// <summary>What was given to Add or Modify; the kernel hands it back untouched.</summary>
    public ulong Data;
}
