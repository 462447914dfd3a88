using System.Globalization;
using System.Text;

namespace UGreen.Py.Native;

/// <summary>
/// What ps shows of this process: the memory in which the kernel laid down its arguments (proc(5), arg_start and arg_end). It is overwritten and never grown, because the
/// environment lies behind it; so a title has at most as many bytes as the command line had.
/// </summary>
public static unsafe class ProcessTitle
{
    private const string StatFile = "/proc/self/stat";

    // proc(5) counts the fields from 1; what follows the name in parentheses begins with the third.
    private const int ArgumentStart = 48 - 3;
    private const int ArgumentEnd = 49 - 3;

    private static readonly Lock s_gate = new();
    private static readonly (nint Start, int Bytes) s_area = Find();

    /// <summary>Bytes that a title may have; 0: it cannot be changed here.</summary>
    public static int Room => Math.Max(0, s_area.Bytes - 1);

    /// <summary>Sets it; what is too long is cut. Any thread.</summary>
    public static void Set(string title) => Write(Encoding.UTF8.GetBytes(title.Replace('\0', ' ')));

    /// <summary>Leaves out one of the arguments.</summary>
    /// <param name="index">0 is the name of the program.</param>
    public static void RemoveArgument(int index)
    {
        // SAFETY: as in Write; copied at once.
        var arguments = new ReadOnlySpan<byte>((void*)s_area.Start, s_area.Bytes).ToArray();
        var start = 0;
        for (; index > 0 && start >= 0; index--) start = Behind(arguments, start);
        if (start < 0 || Behind(arguments, start) is not (>= 0 and var end)) return;
        Write([.. arguments.AsSpan(0, start), .. arguments.AsSpan(end)]);
    }

    private static int Behind(ReadOnlySpan<byte> arguments, int start)
    {
        var length = start < arguments.Length ? arguments[start..].IndexOf((byte)0) : -1;
        return length < 0 ? -1 : start + length + 1;
    }

    private static void Write(ReadOnlySpan<byte> bytes)
    {
        var length = Math.Min(bytes.Length, Room);
        // Not in the middle of a character.
        while (length > 0 && length < bytes.Length && (bytes[length] & 0xC0) == 0x80) length--;
        if (Room == 0) return;
        lock (s_gate)
        {
            // SAFETY: the area is what the kernel mapped for argv, writable for the life of the process; nothing in this process reads it after main's beginning (the runtime
            // and Python have copies). The zero at its end stays.
            var area = new Span<byte>((void*)s_area.Start, s_area.Bytes);
            bytes[..length].CopyTo(area);
            area[length..].Clear();
        }
    }

    private static (nint Start, int Bytes) Find()
    {
        try
        {
            var stat = File.ReadAllText(StatFile);
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            var start = long.Parse(fields[ArgumentStart], CultureInfo.InvariantCulture);
            var end = long.Parse(fields[ArgumentEnd], CultureInfo.InvariantCulture);
            return start > 0 && end > start && end - start < int.MaxValue ? ((nint)start, (int)(end - start)) : default;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or IndexOutOfRangeException)
        {
            // A sandbox without /proc: the title stays.
            return default;
        }
    }
}
