using System.Buffers.Binary;
using UGreen.Py.CPython.Layout;
using Xunit;

namespace UGreen.Py.CPython.Tests;

/// <summary>What a library says of itself before it is started, against the table of its version.</summary>
public sealed class DebugOffsetsTests
{
    private static readonly ThreadStateLayout s_table = ThreadStateLayouts.For("3.13.5 (main)");

    [Fact]
    public void A_library_that_is_as_the_table_says_keeps_the_table() => Assert.Same(s_table, Check(Honest()));

    [Fact]
    public void A_version_that_publishes_nothing_is_not_asked()
    {
        var old = ThreadStateLayouts.For("3.11.2 (main)");
        Assert.Same(old, DebugOffsets.Check(old, "3.11.2", _ => throw new InvalidOperationException("asked")));
    }

    /// <summary>3.13.5 has one member less than the headers of 3.13.15, from which the table is.</summary>
    [Theory]
    [InlineData(-8)]
    [InlineData(16)]
    public void What_lies_behind_the_public_struct_moves_with_its_end(int longer)
    {
        var layout = Check(With(s_table.DebugSize, (ulong)(s_table.ThreadStateSize + longer)));
        Assert.Equal(s_table.ThreadStateSize + longer, layout.ThreadStateSize);
        Assert.Equal(s_table.AsyncioRunningLoop + longer, layout.AsyncioRunningLoop);
        Assert.Equal(s_table.ThreadingLocalKey, layout.ThreadingLocalKey);
        Assert.Equal(longer >= 0, layout.Fields.Any(field => field.Name == "datastack_cached_chunk"));
    }

    [Fact]
    public void Each_difference_is_told()
    {
        Refused("no _Py_DebugOffsets", With(0, 0));
        Refused("of another version (0x030e00f0)", With(8, 0x030e00f0));
        Refused("it is a free-threaded build", With(s_table.DebugFreeThreaded, 1));
        Refused($"interp at 24, and the 3.13 layout table at {s_table.Interp}", With(s_table.DebugInterp, 24));
        Refused("current_frame at 64", With(s_table.DebugCurrentFrame, 64));
        Refused("thread_id at 8", With(s_table.DebugThreadId, 8));
        Refused("datastack_chunk at 0", With(s_table.DebugDataStackChunk, 0));
        Refused("a thread state of 200 bytes, and the 3.13 layout table knows 312", With(s_table.DebugSize, 200));
        Refused("a thread state of", With(s_table.DebugSize, ulong.MaxValue));
    }

    [Fact]
    public void A_stack_ends_where_CPython_has_its_own_margins_or_earlier_where_it_is_small()
    {
        Assert.Equal((0x500000, 0x108000, 0x104000), CStackLimits.Addresses(0x100000, 0x400000));
        Assert.Equal((0x110000, 0x104000, 0x102000), CStackLimits.Addresses(0x100000, 0x10000));
        Assert.Equal(1365, CStackLimits.Calls(4 * 1024 * 1024));
        Assert.Equal(150, CStackLimits.Calls(256 * 1024));
        Assert.Equal(64, CStackLimits.Calls(64 * 1024));
    }

    private static ThreadStateLayout Check(byte[] published) => DebugOffsets.Check(s_table, "3.13.5", bytes => published.AsSpan(0, bytes));

    private static void Refused(string says, byte[] published) => Assert.Contains(says, Assert.Throws<UnsupportedPythonException>(() => Check(published)).Message, StringComparison.Ordinal);

    private static byte[] Honest()
    {
        var bytes = new byte[512];
        "xdebugpy"u8.CopyTo(bytes);
        foreach (var (at, value) in ((int, int)[])[(8, 0x030d05f0), (s_table.DebugSize, s_table.ThreadStateSize), (s_table.DebugInterp, s_table.Interp),
            (s_table.DebugCurrentFrame, s_table.CurrentFrame), (s_table.DebugThreadId, s_table.ThreadId), (s_table.DebugDataStackChunk, s_table.DataStackChunk)]) Put(bytes, at, (ulong)value);
        return bytes;
    }

    private static byte[] With(int at, ulong value)
    {
        var bytes = Honest();
        Put(bytes, at, value);
        return bytes;
    }

    private static void Put(byte[] bytes, int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at), value);
}
