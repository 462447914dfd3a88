using System.Buffers;
using System.IO.Pipelines;

namespace UGreen.Py.Front.Transport;

/// <summary>What the connections of one <see cref="IoThread"/> share.</summary>
internal sealed class PolledPipes(IoThread io, MemoryPool<byte> memory, TimeProvider time)
{
    // What a client may send ahead, and what an application may write ahead, in bytes. The first is Kestrel's own figure for its socket transport, the second twice that: two large
    // blocks, so that one is filled while the other is sent.
    private const long InputBytes = 1 << 20;
    private const long OutputBytes = 2 * BlockPool.LargeBlockBytes;

    /// <summary>How long a client that still sends may take to read an answer that ends its connection.</summary>
    public static readonly TimeSpan LingerTime = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Where the kernel puts bytes before they are copied into a pipe. One read for 64 KiB instead of sixteen for its blocks costs less than the copy, and an idle connection
    /// holds no block.
    /// </summary>
    public byte[] Scratch { get; } = GC.AllocateUninitializedArray<byte>(BlockPool.LargeBlockBytes, pinned: true);

    public MemoryPool<byte> Memory => memory;

    public TimeProvider Time => time;

    public PipeOptions InputOptions { get; } = Options(io, io, memory, InputBytes);

    public PipeOptions OutputOptions { get; } = Options(new SendScheduler(io), io, memory, OutputBytes);

    /// <summary>In one block: what was read at once is at most a large one.</summary>
    public static void Append(PipeWriter pipe, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(pipe.GetSpan(bytes.Length));
        pipe.Advance(bytes.Length);
    }

    private static PipeOptions Options(PipeScheduler reader, PipeScheduler writer, MemoryPool<byte> memory, long bytes)
        => new(memory, reader, writer, bytes, bytes / 2, BlockPool.BlockBytes, useSynchronizationContext: false);
}
