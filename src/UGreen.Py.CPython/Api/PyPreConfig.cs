using System.Runtime.InteropServices;

namespace UGreen.Py.CPython.Api;

/// <summary><c>PyPreConfig</c> on Linux (Include/cpython/initconfig.h; the same fields from 3.8 to 3.14). PyPreConfig_InitPythonConfig fills it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PyPreConfig
{
    public int ConfigInit;
    public int ParseArgv;
    public int Isolated;
    public int UseEnvironment;
    public int ConfigureLocale;
    public int CoerceCLocale;
    public int CoerceCLocaleWarn;
    public int Utf8Mode;
    public int DevMode;
    public int Allocator;

    // Room for fields that a later version may append: the init function writes its whole struct.
    private readonly long _spare0, _spare1, _spare2, _spare3;
}
