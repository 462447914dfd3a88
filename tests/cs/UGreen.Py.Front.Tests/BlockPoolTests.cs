using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace UGreen.Py.Front.Tests;

public sealed class BlockPoolTests : IDisposable
{
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(10);

    private readonly ManualTime _time = new();
    private readonly BlockPool _pool;

    public BlockPoolTests() => _pool = new BlockPool(_time);

    public void Dispose() => _pool.Stop();

    [Fact]
    public void A_block_is_used_again()
    {
        var first = _pool.Rent();
        var memory = first.Memory;
        first.Dispose();

        Assert.Equal(1, _pool.Free);
        Assert.Equal(memory, _pool.Rent(BlockPool.BlockBytes).Memory);
        Assert.Equal(0, _pool.Free);
    }

    [Fact]
    public void Two_at_a_time_are_two()
    {
        var (one, two) = (_pool.Rent(), _pool.Rent());

        Assert.Equal(BlockPool.BlockBytes, one.Memory.Length);
        Assert.False(one.Memory.Span.Overlaps(two.Memory.Span));
    }

    [Fact]
    public void Who_asks_for_more_gets_a_large_one()
    {
        var (small, large) = (_pool.Rent(BlockPool.BlockBytes), _pool.Rent(BlockPool.BlockBytes + 1));
        Assert.Equal((BlockPool.BlockBytes, BlockPool.LargeBlockBytes), (small.Memory.Length, large.Memory.Length));
        var memory = large.Memory;
        small.Dispose();
        large.Dispose();

        Assert.Equal(2, _pool.Free);
        Assert.Equal(memory, _pool.Rent(BlockPool.LargeBlockBytes).Memory);
        Assert.Equal(1, _pool.Free);
    }

    [Fact]
    public void Each_size_is_let_go_by_itself()
    {
        using (_pool.Rent(BlockPool.LargeBlockBytes))
        {
        }

        for (var i = 0; i < 3; i++)
        {
            Burst(40);
            _time.Advance(s_look);
        }

        Assert.Equal(40, _pool.Free);
    }

    [Fact]
    public void More_than_a_large_block_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => _pool.Rent(BlockPool.LargeBlockBytes + 1));

    [Fact]
    public void Quiet_times_halve_what_is_kept_until_nothing_is()
    {
        Burst(100);
        // The burst itself was in the first period.
        _time.Advance(s_look);
        Assert.Equal(100, _pool.Free);
        _time.Advance(s_look);
        Assert.Equal(50, _pool.Free);
        _time.Advance(10 * s_look);

        Assert.Equal(0, _pool.Free);
    }

    [Fact]
    public void What_is_needed_again_and_again_stays()
    {
        Burst(100);
        for (var i = 0; i < 10; i++)
        {
            Burst(40);
            _time.Advance(s_look);
        }

        Assert.InRange(_pool.Free, 40, 41);
    }

    [Fact]
    public void A_stopped_one_looks_no_more()
    {
        Burst(100);
        _pool.Stop();
        _time.Advance(10 * s_look);

        Assert.Equal(100, _pool.Free);
    }

    /// <summary>Should Kestrel lose the place where it is put in, everything works as before, only dearer: nothing else would tell.</summary>
    [Fact]
    public async Task Kestrels_sockets_take_their_memory_here()
    {
        var options = new SocketTransportOptions();
        Assert.True(_pool.TryUse(options));
        var transport = new SocketTransportFactory(Options.Create(options), NullLoggerFactory.Instance);
        await using var listener = await transport.BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
        using var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.EndPoint);
        await using var connection = (await listener.AcceptAsync())!;

        Assert.Same(_pool, connection.Features.Get<IMemoryPoolFeature>()!.MemoryPool);
        await connection.Transport.Output.WriteAsync(new byte[] { 1, 2, 3 });
        await client.ReceiveAsync(new byte[3]);
    }

    private void Burst(int count)
    {
        var all = Enumerable.Range(0, count).Select(_ => _pool.Rent()).ToList();
        foreach (var block in all) block.Dispose();
    }
}
