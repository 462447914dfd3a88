namespace UGreen.Py.Native;

/// <summary>What a descriptor stands for: the type bits of st_mode, of C's stat.</summary>
public enum FdType
{
    /// <summary>One without a type: eventfd, epoll.</summary>
    None = 0,
    Pipe = 0x1000,
    Characters = 0x2000,
    Directory = 0x4000,
    BlockDevice = 0x6000,
    File = 0x8000,
    Socket = 0xC000,
}
