using System.Buffers;
using System.Text;
using UGreen.Py.CPython.Api;

namespace UGreen.Py.CPython;

/// <summary>Strings and bytes between the two worlds. All members need the GIL.</summary>
// SAFETY: each pointer comes from a pinned span or from CPython, and is used only while the pin or the borrowed reference lasts.
public static unsafe class PyText
{
    private const int StackLimit = 512;

    /// <summary>A <c>str</c> of latin-1 characters, one per char; PEP 3333's native string. Chars above U+00FF become '?' (the fronts never send such).</summary>
    public static NewRef FromLatin1(ReadOnlySpan<char> text)
    {
        byte[]? rented = null;
        var bytes = text.Length <= StackLimit ? stackalloc byte[StackLimit] : rented = ArrayPool<byte>.Shared.Rent(text.Length);
        var length = Encoding.Latin1.GetBytes(text, bytes);
        NewRef made;
        fixed (byte* p = bytes) made = CApi.PyUnicode_DecodeLatin1(p, length, null);
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        return made;
    }

    /// <summary>A <c>str</c> whose characters are these bytes read as latin-1.</summary>
    public static NewRef FromLatin1Bytes(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* p = bytes) return CApi.PyUnicode_DecodeLatin1(p, bytes.Length, null);
    }

    /// <summary>A <c>str</c> with this text, any characters.</summary>
    public static NewRef FromText(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        fixed (byte* p = bytes) return CApi.PyUnicode_FromStringAndSize(p, bytes.Length);
    }

    /// <summary>An interned <c>str</c>: dictionary look-ups by it compare addresses.</summary>
    public static NewRef Interned(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text + "\0");
        fixed (byte* p = bytes) return CApi.PyUnicode_InternFromString(p);
    }

    /// <summary>A <c>bytes</c> object.</summary>
    public static NewRef FromBytes(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* p = bytes) return CApi.PyBytes_FromStringAndSize(p, bytes.Length);
    }

    /// <summary>The text of a <c>str</c>; null when it is not one (no Python error stays set).</summary>
    public static string? ToText(BorrowedRef str)
    {
        if (str.IsNull) return null;
        nint size;
        var utf8 = CApi.PyUnicode_AsUTF8AndSize(str, &size);
        if (utf8 is not null) return Encoding.UTF8.GetString(utf8, (int)size);
        CApi.PyErr_Clear();
        return null;
    }

    /// <summary>
    /// The text of a <c>str</c> all of whose characters are at most U+00FF, one char per byte; null when it is no <c>str</c> or holds others (no Python error stays set).
    /// </summary>
    public static string? ToLatin1(BorrowedRef str)
    {
        nint size;
        var utf8 = CApi.PyUnicode_AsUTF8AndSize(str, &size);
        if (utf8 is null)
        {
            CApi.PyErr_Clear();
            return null;
        }

        // ASCII is its own UTF-8, which CPython keeps in the object: the common case costs one copy.
        var span = new ReadOnlySpan<byte>(utf8, (int)size);
        if (System.Text.Ascii.IsValid(span)) return Encoding.ASCII.GetString(span);
        var text = Encoding.UTF8.GetString(span);
        foreach (var c in text)
        {
            if (c > '\u00ff') return null;
        }

        return text;
    }

    /// <summary>The bytes of a <c>bytes</c> object, valid while the reference is. False, with no Python error set, when it is something else.</summary>
    public static bool TryGetBytes(BorrowedRef o, out ReadOnlySpan<byte> bytes)
    {
        byte* data;
        nint length;
        if (CApi.PyBytes_AsStringAndSize(o, &data, &length) == 0)
        {
            bytes = new ReadOnlySpan<byte>(data, checked((int)length));
            return true;
        }

        CApi.PyErr_Clear();
        bytes = default;
        return false;
    }
}
