using System.Globalization;
using UGreen.Py.Native;
using Xunit;

namespace UGreen.Py.Switching.Tests;

/// <summary>Where the stacks are, what guards them, and what is said when they do not fit.</summary>
public class GreenStacksTests
{
    [Fact]
    public void Guard_pages_lie_at_both_ends_and_go_away_again() => Hub.Run(SwitchKind.Direct, 7, 16, hub =>
    {
        List<(nint Start, nint End, string Access)> maps = Maps();
        for (int i = 0; i < 7; i++)
        {
            nint low = hub.Stacks.StackLow(i);
            nint high = low + hub.Stacks.StackBytes;
            Assert.Equal("---p", AccessAt(maps, low - 1));
            Assert.Equal("---p", AccessAt(maps, low - StackPlan.GuardBytes));
            Assert.Equal("rw-p", AccessAt(maps, low));
            Assert.Equal("rw-p", AccessAt(maps, high - 1));
            Assert.Equal("---p", AccessAt(maps, high));
            Assert.Equal(low, hub.Switch.Cores[i].StackLow);
        }

        hub.Stacks.Dispose();
        maps = Maps();
        for (int i = 0; i < 7; i++) Assert.Equal("rw-p", AccessAt(maps, hub.Stacks.StackLow(i) - 1));
    });

    [Fact]
    public void Stacks_lie_inside_the_threads_own() => Hub.Run(SwitchKind.Direct, 50, 20, hub =>
    {
        StackBounds thread = ThreadStack.Current();
        Assert.True(thread.Low + StackPlan.LowSlackBytes <= hub.Stacks.Low);
        Assert.True(hub.Stacks.High + (StackPlan.HubReserveBytes - (512 * 1024)) <= ThreadStack.CurrentAddress());
        Assert.InRange(ThreadStack.CurrentAddress(), thread.Low, thread.High);
    });

    [Fact]
    public void A_thread_that_is_too_small_is_refused()
    {
        Exception? failure = null;
        Thread small = new(() => failure = Record.Exception(() => GreenStacks.Carve(100, 64)), 1024 * 1024);
        small.Start();
        small.Join();
        Assert.Contains("start it with ReserveBytes", Assert.IsType<InvalidOperationException>(failure).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Too_much_address_space_is_refused_with_what_fits()
    {
        StackReservationException e = Assert.Throws<StackReservationException>(() => GreenStacks.ReserveBytes(5000, 256));
        Assert.Contains("--async 5000 with --ugreen-stacksize 256", e.Message, StringComparison.Ordinal);
        Assert.Contains("--async 2031 at this stack size, or --ugreen-stacksize 103 with 5000 cores", e.Message, StringComparison.Ordinal);
        Assert.True(GreenStacks.ReserveBytes(2031, 256) > 0);
        Assert.Throws<StackReservationException>(() => GreenStacks.ReserveBytes(2032, 256));
        Assert.True(GreenStacks.ReserveBytes(5000, 103) > 0);
        Assert.Throws<StackReservationException>(() => GreenStacks.ReserveBytes(5000, 104));
    }

    [Fact]
    public void Spawn_stacks_have_a_zone_of_their_own()
    {
        StackSizes sizes = new(3, 40, SpawnCores: 4, SpawnPages: 16);
        Exception? failure = null;
        Thread hub = new(() => failure = Record.Exception(() => CheckZones(sizes)), GreenStacks.ReserveBytes(sizes));
        hub.Start();
        hub.Join();
        Assert.Null(failure);
    }

    private static void CheckZones(StackSizes sizes)
    {
        using GreenStacks stacks = GreenStacks.Carve(sizes);
        List<(nint Start, nint End, string Access)> maps = Maps();
        Assert.Equal(7, stacks.Count);
        for (int core = 0; core < stacks.Count; core++)
        {
            nint bytes = (core < 3 ? 40 : 16) * StackPlan.PageBytes;
            Assert.Equal(bytes, stacks.BytesOf(core));
            Assert.InRange(stacks.StackLow(core), stacks.Low, stacks.High - bytes);
            Assert.Equal("---p", AccessAt(maps, stacks.StackLow(core) - 1));
            Assert.Equal("rw-p", AccessAt(maps, stacks.StackLow(core)));
            Assert.Equal("rw-p", AccessAt(maps, stacks.StackLow(core) + bytes - 1));
            Assert.Equal("---p", AccessAt(maps, stacks.StackLow(core) + bytes));
        }

        // No two overlap: each begins above the end of the one that lies below it.
        int[] byAddress = [.. Enumerable.Range(0, stacks.Count).OrderBy(stacks.StackLow)];
        foreach ((int below, int above) in byAddress.Zip(byAddress.Skip(1))) Assert.Equal(stacks.StackLow(below) + stacks.BytesOf(below) + StackPlan.GuardBytes, stacks.StackLow(above));
    }

    [Theory]
    [InlineData(1, null, null, 1024, 1000)]
    [InlineData(100, null, null, 1024, 1000)]
    [InlineData(1000, null, null, 456, 1000)]
    [InlineData(100, 1024, 0, 1024, 0)]
    [InlineData(10, 16, 10_000, 16, 10_000)]
    [InlineData(2031, 256, null, 256, 2)]
    public void Sizes_are_chosen_so_that_requests_come_first(int cores, int? pages, int? spawnCores, int expectedPages, int expectedSpawnCores)
    {
        StackSizes sizes = StackPlan.Choose(cores, pages, spawnCores, maxMappings: 65_530);
        Assert.Equal((cores, expectedPages, expectedSpawnCores), (sizes.Cores, sizes.StackPages, sizes.SpawnCores));
        Assert.InRange(sizes.SpawnPages, Math.Min(StackPlan.LeastSpawnPages, sizes.StackPages), sizes.StackPages);
        Assert.True(new StackPlan(sizes.Cores, sizes.StackPages, 65_530, sizes.SpawnCores, sizes.SpawnPages).ReserveBytes > 0);
    }

    [Fact]
    public void Whatever_is_chosen_fits()
    {
        for (int cores = 1; cores <= 2031; cores += 7)
        {
            StackSizes sizes = StackPlan.Choose(cores, null, null, maxMappings: 65_530);
            Assert.True(new StackPlan(sizes.Cores, sizes.StackPages, 65_530, sizes.SpawnCores, sizes.SpawnPages).ReserveBytes > 0, $"{sizes}");
            Assert.InRange(sizes.SpawnCores, cores <= 1800 ? 600 : 0, StackPlan.DefaultSpawnCores);
        }
    }

    [Fact]
    public void Too_many_spawn_cores_are_refused_with_what_fits()
    {
        StackSizes sizes = StackPlan.Choose(100, null, 8000, maxMappings: 65_530);
        StackReservationException e = Assert.Throws<StackReservationException>(() => GreenStacks.ReserveBytes(sizes));
        Assert.Contains("--ugreen-spawn-max 8000", e.Message, StringComparison.Ordinal);
        Assert.Contains("beside --async 100", e.Message, StringComparison.Ordinal);
        int most = int.Parse(e.Message.Split("--ugreen-spawn-max ")[^1].TrimEnd('.'), CultureInfo.InvariantCulture);
        Assert.True(GreenStacks.ReserveBytes(sizes with { SpawnCores = most }) > 0);
        Assert.Throws<StackReservationException>(() => GreenStacks.ReserveBytes(sizes with { SpawnCores = most + 1 }));
    }

    [Fact]
    public void Too_many_mappings_are_refused_with_what_fits()
    {
        StackReservationException e = Assert.Throws<StackReservationException>(() => new StackPlan(20_000, 16, maxMappings: 30_000));
        Assert.Contains("vm.max_map_count", e.Message, StringComparison.Ordinal);
        Assert.Contains("--async 12952", e.Message, StringComparison.Ordinal);
        Assert.Equal(12_952, new StackPlan(12_952, 16, maxMappings: 30_000).Cores);
    }

    [Theory]
    [InlineData(0, 256)]
    [InlineData(-1, 256)]
    [InlineData(10, 15)]
    [InlineData(10, int.MaxValue)]
    [InlineData(int.MaxValue, int.MaxValue)]
    public void Nonsense_is_refused(int cores, int stackPages) =>
        Assert.StartsWith("--", Assert.Throws<StackReservationException>(() => GreenStacks.ReserveBytes(cores, stackPages)).Message, StringComparison.Ordinal);

    [Fact]
    public unsafe void Layouts_are_those_of_the_installed_headers()
    {
        nint* found = stackalloc nint[7];

        // SAFETY: void layouts(intptr_t *out) of green.c fills seven words.
        ((delegate* unmanaged<nint*, void>)GreenLibrary.Symbol("layouts"))(found);
        Assert.Equal(PosixContextLayout.Bytes, found[0]);
        Assert.Equal(PosixContextLayout.Link, found[1]);
        Assert.Equal(PosixContextLayout.StackLow, found[2]);
        Assert.Equal(PosixContextLayout.StackBytes, found[3]);
        Assert.Equal(sizeof(SignalAction), found[4]);
        Assert.Equal((nint)System.Runtime.InteropServices.Marshal.OffsetOf<SignalAction>(nameof(SignalAction.Flags)), found[5]);
        Assert.Equal(X64OverflowHandler.FaultAddress, found[6]);
        Assert.True(found[0] <= PosixContextLayout.AllocatedBytes);
    }

    private static List<(nint Start, nint End, string Access)> Maps()
    {
        List<(nint, nint, string)> maps = [];
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            string[] parts = line.Split(' ');
            string[] range = parts[0].Split('-');
            maps.Add((nint.Parse(range[0], NumberStyles.HexNumber), nint.Parse(range[1], NumberStyles.HexNumber), parts[1]));
        }

        return maps;
    }

    private static string AccessAt(List<(nint Start, nint End, string Access)> maps, nint address) =>
        Assert.Single(maps, map => map.Start <= address && address < map.End).Access;
}
