namespace UGreen.Py.Machine;

/// <summary>What a descriptor is, as far as it matters to whoever reads or writes it.</summary>
public enum FdKind : byte
{
    /// <summary>Nobody has looked.</summary>
    Unknown = 0,

    /// <summary>A file: reading and writing never wait for anybody, only for the disk.</summary>
    File = 1,

    /// <summary>A pipe or a socket, which the kernel reads and writes without waiting when told so (RWF_NOWAIT).</summary>
    Stream = 2,

    /// <summary>Anything else, which poll() knows.</summary>
    Other = 3,
}
