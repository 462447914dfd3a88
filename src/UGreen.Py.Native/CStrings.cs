using System.Runtime.InteropServices;
using System.Text;

namespace UGreen.Py.Native;

/// <summary>An array of C strings that ends with a null pointer, as argv and environ are; lives until Dispose.</summary>
internal sealed unsafe class CStrings : IDisposable
{
    private readonly int _count;
    private byte** _array;

    // SAFETY: room for all pointers and the null behind them is allocated before they are written, and each string has room for its bytes and a zero.
    public CStrings(IReadOnlyList<byte[]> strings)
    {
        _count = strings.Count;
        _array = (byte**)NativeMemory.AllocZeroed((nuint)_count + 1, (nuint)sizeof(byte*));
        for (var i = 0; i < _count; i++)
        {
            _array[i] = (byte*)NativeMemory.AllocZeroed((nuint)strings[i].Length + 1);
            strings[i].CopyTo(new Span<byte>(_array[i], strings[i].Length));
        }
    }

    public byte** Pointer => _array;

    /// <exception cref="ArgumentException">It holds a NUL, at which C would cut it.</exception>
    public static byte[] Encode(string text)
        => text.Contains('\0', StringComparison.Ordinal) ? throw new ArgumentException($"'{text.Replace('\0', '?')}' holds a NUL", nameof(text)) : Encoding.UTF8.GetBytes(text);

    // SAFETY: frees what the constructor allocated, once.
    public void Dispose()
    {
        if (_array == null) return;
        for (var i = 0; i < _count; i++) NativeMemory.Free(_array[i]);
        NativeMemory.Free(_array);
        _array = null;
    }
}
