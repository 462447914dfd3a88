using System.Buffers.Text;

namespace UGreen.Py.Front.Logs;

/// <summary>Memory of this process for the log. Asking costs reading a file of the kernel's, so it is done at most once a second. Any thread.</summary>
internal sealed class MemoryFigures
{
    private readonly Lock _lock = new();
    private long _next = long.MinValue;
    private long _virtual;
    private long _resident;

    /// <summary>Both in bytes; 0 when the kernel does not say.</summary>
    public (long Virtual, long Resident) Read(TimeProvider time)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            if (now >= _next)
            {
                _next = now + time.TimestampFrequency;
                (_virtual, _resident) = Ask();
            }

            return (_virtual, _resident);
        }
    }

    private static (long Virtual, long Resident) Ask()
    {
        try
        {
            using var file = File.OpenHandle("/proc/self/statm");
            Span<byte> text = stackalloc byte[128];
            text = text[..RandomAccess.Read(file, text, 0)];
            // "size resident …", in pages.
            if (!Utf8Parser.TryParse(text, out long size, out var used) || used >= text.Length) return default;
            return Utf8Parser.TryParse(text[(used + 1)..], out long resident, out _) ? (size * Environment.SystemPageSize, resident * Environment.SystemPageSize) : default;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }
}
