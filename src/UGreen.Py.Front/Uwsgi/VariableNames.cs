using System.Buffers;
using System.Text;

namespace UGreen.Py.Front.Uwsgi;

/// <summary>
/// The names seen lately, so that a request makes no string for names that every request has. A table of fixed size in which a name has one place: another name
/// of the same place replaces it, so that a sender of odd names costs itself time and nobody memory. Any thread; entries are immutable and swapped whole.
/// </summary>
internal sealed class VariableNames
{
    // A power of two; nginx's own parameters and all headers in common use are some 100.
    private const int Places = 1024;

    private static readonly SearchValues<byte> s_allowed = SearchValues.Create([.. Enumerable.Range(0x21, 0x7f - 0x21).Select(b => (byte)b)]);

    private readonly VariableName?[] _names = new VariableName?[Places];

    /// <summary>Null: a byte that no name may hold.</summary>
    public VariableName? For(ReadOnlySpan<byte> name)
    {
        ref var place = ref _names[ByteHash.Of(name) & (Places - 1)];
        var known = Volatile.Read(ref place);
        if (known is not null && Ascii.Equals(name, known.Text)) return known;
        if (name.ContainsAnyExcept(s_allowed)) return null;

        var fresh = new VariableName(Encoding.ASCII.GetString(name));
        Volatile.Write(ref place, fresh);
        return fresh;
    }
}
