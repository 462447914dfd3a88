using UGreen.Py.CPython;
using UGreen.Py.Native;
using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary>
/// What becomes of a connection on which a C library waits for an answer, without a limit of time, when an exception ends that wait. The library does not expect that nothing comes: libpq
/// takes the connection for one without a query under way, sends the next one, and gives its caller the answer of the query before, perhaps in another request. So the connection
/// is broken, which every library knows. Python's own code does expect it, and keeps its sockets.
/// </summary>
internal static class GivenUpConnection
{
    private static readonly string? s_python = DynamicLibrary.FileOf(LibPython.Symbol("PyObject_Call"));

    /// <summary>Breaks it, so that the next read finds the end of the stream. False: the caller is Python's own code, or the descriptor is no connection.</summary>
    public static bool TryBreak(NativeCall call, int fd)
    {
        var caller = DynamicLibrary.FileOf(call.ReturnAddress);
        return caller != s_python && caller?.Contains("/lib-dynload/", StringComparison.Ordinal) != true && StreamSocket.TryBreak(fd);
    }
}
