using System.Runtime.InteropServices;
using UGreen.Py.Native;
using Xunit;

namespace UGreen.Py.Hub.Tests;

/// <summary>With the real libcrypto, on the test's own thread.</summary>
public sealed unsafe partial class OpenSslErrorsTests
{
    private const string Library = "libcrypto.so.3";
    private const uint SystemFlag = 0x80000000;

    public OpenSslErrorsTests()
    {
        _ = NativeLibrary.Load(Library);
        Assert.True(OpenSslErrors.IsFound || OpenSslErrors.Find());
        ERR_clear_error();
    }

    [Fact]
    public void All_that_an_error_says_comes_back_in_its_order()
    {
        Note(20, 267, "read.c", 77, "ssl_read", "of %s and 100 %");
        Note(2, 104, "sock.c", 5, "sock_write", null);
        Note(6, 0x40000 | 65, null, 0, null, null);

        var taken = OpenSslErrors.Take();
        Assert.Equal(0u, ERR_peek_error());
        OpenSslErrors.PutBack(taken);

        Assert.Equal(((20u << 23) | 267, "read.c", 77, "ssl_read", "of %s and 100 %"), Get());
        Assert.Equal((SystemFlag | 104, "sock.c", 5, "sock_write", ""), Get());
        Assert.Equal(((6u << 23) | 0x40000 | 65, "", 0, "", ""), Get());
        Assert.Equal(0u, ERR_peek_error());
    }

    [Fact]
    public void What_another_has_left_is_not_met()
    {
        Assert.Null(OpenSslErrors.Take());
        Note(20, 1, "a.c", 1, "a", null);
        OpenSslErrors.PutBack(null);
        Assert.Equal(0u, ERR_peek_error());
    }

    private static void Note(int library, int reason, string? file, int line, string? function, string? data)
    {
        ERR_new();
        ERR_set_debug(file, line, function);
        ERR_set_error(library, reason, data is null ? null : "%s", data);
    }

    // SAFETY: five variables of this frame; the texts are OpenSSL's and copied before its next call.
    private static (uint Code, string File, int Line, string Function, string Data) Get()
    {
        nint file, function, data;
        int line, flags;
        var code = ERR_get_error_all(&file, &line, &function, &data, &flags);
        return (code, Marshal.PtrToStringUTF8(file) ?? "", line, Marshal.PtrToStringUTF8(function) ?? "", Marshal.PtrToStringUTF8(data) ?? "");
    }

    [LibraryImport(Library)]
    private static partial void ERR_clear_error();

    [LibraryImport(Library)]
    private static partial uint ERR_peek_error();

    [LibraryImport(Library)]
    private static partial void ERR_new();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial void ERR_set_debug(string? file, int line, string? function);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial void ERR_set_error(int library, int reason, string? format, string? data);

    [LibraryImport(Library)]
    private static partial uint ERR_get_error_all(nint* file, int* line, nint* function, nint* data, int* flags);
}
