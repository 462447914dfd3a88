using System.Runtime.InteropServices;

namespace UGreen.Py.Native;

/// <summary>
/// The errors that OpenSSL 3 has noted for the calling OS thread, taken away to be put back later: it has one queue of them per OS thread, and <c>SSL_get_error()</c> takes any error in it for
/// that of the call which has just returned. They can be exchanged as a whole only from OpenSSL 3.2 on, so they are copied.
/// <para>Of the library <c>libcrypto.so.3</c> only: a copy with another name or within another library keeps errors of its own that nobody can reach.</para>
/// </summary>
// SAFETY: the addresses are those of libcrypto's functions, called with the types of <openssl/err.h>; a library that was found once is kept for ever by the handle that was opened for it.
public sealed unsafe class OpenSslErrors
{
    private const string Name = "libcrypto.so.3";
    private const uint SystemFlag = 0x80000000;
    private const int LibraryOffset = 23;
    private const int LibraryMask = 0xFF;
    private const int ReasonMask = 0x7FFFFF;
    private const int SystemLibrary = 2;
    private const int DataIsText = 2;

    private static delegate* unmanaged<uint> s_peek;
    private static delegate* unmanaged<byte**, int*, byte**, byte**, int*, uint> s_get;
    private static delegate* unmanaged<void> s_clear;
    private static delegate* unmanaged<void> s_new;
    private static delegate* unmanaged<byte*, int, byte*, void> s_place;
    private static delegate* unmanaged<int, int, byte*, byte*, void> s_set;

    private readonly List<OpenSslError> _errors = [];

    private OpenSslErrors()
    {
    }

    /// <summary>The library is in this process.</summary>
    public static bool IsFound => s_peek != null;

    /// <summary>Whether it is by now. It is not loaded here.</summary>
    public static bool Find()
    {
        var handle = Libc.dlopen(Name, Libc.DlFlags.Now | Libc.DlFlags.NoLoad);
        if (handle == 0 || !DynamicLibrary.TrySymbol(handle, "ERR_peek_error", out var peek)) return false;
        s_get = (delegate* unmanaged<byte**, int*, byte**, byte**, int*, uint>)DynamicLibrary.Symbol(handle, "ERR_get_error_all");
        s_clear = (delegate* unmanaged<void>)DynamicLibrary.Symbol(handle, "ERR_clear_error");
        s_new = (delegate* unmanaged<void>)DynamicLibrary.Symbol(handle, "ERR_new");
        s_place = (delegate* unmanaged<byte*, int, byte*, void>)DynamicLibrary.Symbol(handle, "ERR_set_debug");
        s_set = (delegate* unmanaged<int, int, byte*, byte*, void>)DynamicLibrary.Symbol(handle, "ERR_set_error");
        s_peek = (delegate* unmanaged<uint>)peek;
        return true;
    }

    /// <summary>Takes the calling thread's errors away; null: there are none. Only when <see cref="IsFound"/>.</summary>
    public static OpenSslErrors? Take()
    {
        if (s_peek() == 0) return null;
        var taken = new OpenSslErrors();
        byte* file, function, data;
        int line, flags;
        while (s_get(&file, &line, &function, &data, &flags) is not 0 and var code)
        {
            var isSystem = (code & SystemFlag) != 0;
            taken._errors.Add(new OpenSslError(
                isSystem ? SystemLibrary : (int)(code >> LibraryOffset) & LibraryMask, (int)(code & (isSystem ? ~SystemFlag : ReasonMask)), Copy(file), line, Copy(function), (flags & DataIsText) != 0 ? Copy(data) : null));
        }

        return taken;
    }

    /// <summary>The calling thread has these errors from now on, and no others; null: none. Only when <see cref="IsFound"/>.</summary>
    public static void PutBack(OpenSslErrors? taken)
    {
        if (s_peek() != 0) s_clear();
        if (taken is null) return;

        // ERR_set_error() takes its text by a format, as printf() does.
        fixed (byte* format = "%s\0"u8)
        {
            foreach (var error in taken._errors)
            {
                fixed (byte* file = error.File, function = error.Function, data = error.Data)
                {
                    s_new();
                    s_place(file, error.Line, function);
                    s_set(error.Library, error.Reason, data == null ? null : format, data);
                }
            }
        }
    }

    private static byte[]? Copy(byte* text)
        => text == null ? null : new ReadOnlySpan<byte>(text, MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text).Length + 1).ToArray();
}
