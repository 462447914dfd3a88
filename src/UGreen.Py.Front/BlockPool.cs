using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace UGreen.Py.Front;

/// <summary>
/// The memory of Kestrel's pipes: pinned blocks that are used again and again. Any thread.
/// <para>
/// Kestrel has such a pool, but gives it only to servers that are made by its own container. All others get the array pool of .NET, which keeps a few arrays per processor:
/// a message to ten thousand clients would be 40 MiB of garbage each time (docs/performance.md).
/// </para>
/// <para>
/// Two sizes: what most requests and answers need, and what a large body is moved in. How many there are is bounded by what connections may have under way. Those that a quiet time does not need are let go, half of them at each look.
/// </para>
/// </summary>
internal sealed class BlockPool : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    /// <summary>The size of Kestrel's blocks, to which its pipes are made.</summary>
    public const int BlockBytes = 4096;

    /// <summary>What is given to who asks for more: a large body in blocks of 4 KiB costs more for the blocks than for the copying.</summary>
    public const int LargeBlockBytes = 1 << 16;

    /// <summary>As Kestrel's own: long enough for a pause between two bursts.</summary>
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(10);

    private readonly Shelf _small = new(BlockBytes);
    private readonly Shelf _large = new(LargeBlockBytes);
    private readonly ITimer _timer;

    /// <param name="time">The clock.</param>
    public BlockPool(TimeProvider time) => _timer = time.CreateTimer(static pool => ((BlockPool)pool!).Look(), this, s_lookEvery, s_lookEvery);

    /// <inheritdoc/>
    public override int MaxBufferSize => LargeBlockBytes;

    /// <summary>Blocks that nobody uses now, of both sizes.</summary>
    public int Free => _small.Free + _large.Free;

    /// <summary>Makes Kestrel's transport take its memory here. False: this version of it has no place for that.</summary>
    public bool TryUse(SocketTransportOptions transport)
    {
        try
        {
            SetFactory(transport, this);
            return true;
        }
        catch (MissingMethodException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    /// <remarks>One pool for all of the transport's queues.</remarks>
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    /// <inheritdoc/>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, LargeBlockBytes);
        return (minBufferSize <= BlockBytes ? _small : _large).Rent();
    }

    /// <summary>Ends the looks. (Kestrel disposes its pool with each listener; this one is the front's.)</summary>
    public void Stop() => _timer.Dispose();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
    }

    private void Look()
    {
        _small.Look();
        _large.Look();
    }

    // Public in all but name: Kestrel's container sets it. A test sees to it that it is still there.
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_MemoryPoolFactory")]
    private static extern void SetFactory(SocketTransportOptions options, IMemoryPoolFactory<byte> factory);

    /// <summary>Blocks of one size.</summary>
    private sealed class Shelf(int bytes)
    {
        private readonly ConcurrentQueue<Block> _free = new();
        private long _rents;
        private long _rentsAtLook;

        public int Free => _free.Count;

        public Block Rent()
        {
            Interlocked.Increment(ref _rents);
            return _free.TryDequeue(out var block) ? block : new Block(this, bytes);
        }

        public void Return(Block block) => _free.Enqueue(block);

        /// <summary>Each block that was needed since the last look was rented at least once.</summary>
        public void Look()
        {
            var rents = Volatile.Read(ref _rents);
            var unneeded = _free.Count - (rents - _rentsAtLook);
            _rentsAtLook = rents;
            for (var n = (unneeded + 1) / 2; n > 0 && _free.TryDequeue(out _); n--)
            {
            }
        }
    }

    private sealed class Block(Shelf shelf, int bytes) : IMemoryOwner<byte>
    {
        public Memory<byte> Memory { get; } = MemoryMarshal.CreateFromPinnedArray(GC.AllocateUninitializedArray<byte>(bytes, pinned: true), 0, bytes);

        public void Dispose() => shelf.Return(this);
    }
}
