using System.Runtime.InteropServices;

namespace UGreen.Py.CPython.Api;

/// <summary><c>PyStatus</c> (Include/cpython/initconfig.h): what an initialisation step says of itself.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PyStatus
{
    /// <summary>0 ok, 1 error, 2 exit.</summary>
    public int Type;
    public nint Func;
    public nint ErrMsg;
    public int ExitCode;

    public readonly void ThrowIfFailed(string step)
    {
        if (Type != 0) throw new PythonStartException($"Python could not be started ({step}): {Marshal.PtrToStringUTF8(ErrMsg) ?? "no reason given"}");
    }
}
