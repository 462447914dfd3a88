using System.Text;

namespace UGreen.Py.Front.Uwsgi;

/// <summary>
/// Latin-1 bytes as strings; short ones that came lately (GET, HTTP/1.1, http, 443, the proxy's address) are the same object again. One connection carries one
/// request, so no value could be found again in the connection. Same table as <see cref="VariableNames"/>; any thread.
/// </summary>
internal sealed class ShortValues
{
    private const int Places = 256;

    // Longer ones seldom come twice, and may be secrets that should not stay in memory.
    private const int LongestKept = 16;

    private readonly string?[] _values = new string?[Places];

    public string For(ReadOnlySpan<byte> value)
    {
        if (value.Length is 0) return "";
        if (value.Length > LongestKept || !Ascii.IsValid(value)) return Encoding.Latin1.GetString(value);

        ref var place = ref _values[ByteHash.Of(value) & (Places - 1)];
        var known = Volatile.Read(ref place);
        if (known is not null && Ascii.Equals(value, known)) return known;
        var fresh = Encoding.Latin1.GetString(value);
        Volatile.Write(ref place, fresh);
        return fresh;
    }
}
