using System.Buffers.Binary;

namespace UGreen.Py.CPython.Layout;

/// <summary>
/// What a library from 3.13 on says itself about its thread state, for debuggers in other processes: <c>_Py_DebugOffsets</c>, with which its variable <c>_PyRuntime</c> begins. Read before
/// anything is initialised, so that a library with another layout is refused before it runs.
/// </summary>
internal static class DebugOffsets
{
    private const int CookieBytes = 8;
    private const int VersionAt = 8;

    private static ReadOnlySpan<byte> Cookie => "xdebugpy"u8;

    /// <summary>The layout for the library as it is, which may be of another size; the same for a version that publishes nothing.</summary>
    /// <param name="layout">The table of its version.</param>
    /// <param name="version">"3.13.5", for the message.</param>
    /// <param name="published">Gives the first so many bytes.</param>
    /// <exception cref="UnsupportedPythonException">It differs from the table.</exception>
    public static ThreadStateLayout Check(ThreadStateLayout layout, string version, Published published)
    {
        if (layout.DebugSize < 0) return layout;
        var bytes = published(layout.DebugDataStackChunk + sizeof(ulong));
        if (!bytes[..CookieBytes].SequenceEqual(Cookie)) throw Differs(version, "does not describe itself as CPython does (no _Py_DebugOffsets)");
        var of = Number(bytes, VersionAt);
        if (of >> 16 != ((ulong)layout.Major << 8 | (uint)layout.Minor)) throw Differs(version, $"describes itself as of another version (0x{of:x8})");
        if (Number(bytes, layout.DebugFreeThreaded) != 0) throw ThreadStateLayouts.FreeThreaded(version);

        Expect(bytes, layout.DebugInterp, layout.Interp, "interp");
        Expect(bytes, layout.DebugCurrentFrame, layout.CurrentFrame, "current_frame");
        Expect(bytes, layout.DebugThreadId, layout.ThreadId, "thread_id");
        Expect(bytes, layout.DebugDataStackChunk, layout.DataStackChunk, "datastack_chunk");
        var size = (int)Math.Min(Number(bytes, layout.DebugSize), int.MaxValue / 2);
        var needed = layout.SwapSet.Where(field => field.Offset < layout.ThreadStateSize).Max(field => field.Offset + field.Size);
        return size >= needed && size % layout.PointerSize == 0 ? layout.ForSize(size) : throw Differs(version, $"has a thread state of {size} bytes, and the {layout.MinorVersion} layout table knows {layout.ThreadStateSize}");

        void Expect(ReadOnlySpan<byte> all, int at, int offset, string field)
        {
            if (Number(all, at) != (ulong)offset) throw Differs(version, $"has its thread state's {field} at {Number(all, at)}, and the {layout.MinorVersion} layout table at {offset}");
        }
    }

    /// <summary>The first so many bytes of <c>_PyRuntime</c>.</summary>
    public delegate ReadOnlySpan<byte> Published(int bytes);

    private static ulong Number(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);

    private static UnsupportedPythonException Differs(string version, string how) => new($"this CPython {version} {how}; is it a patched build? Name another one with --python PATH.");
}
