using UGreen.Py.CPython.Api;
using UGreen.Py.Native;

namespace UGreen.Py.Hub.Blocking;

/// <summary>
/// Keeps the errors of OpenSSL, one queue per OS thread, apart for green threads: a call that waits may be one of OpenSSL's own, which has noted an error and now sends an alert, or has none and is not to
/// find another's. Hub thread, with the GIL.
/// </summary>
internal sealed class OpenSslWatch
{
    private long _modules = -1;

    /// <summary>What the green thread that is about to wait has noted; null: nothing, or there is no OpenSSL.</summary>
    public OpenSslErrors? Take() => OpenSslErrors.IsFound || IsThereNow() ? OpenSslErrors.Take() : null;

    /// <summary>It goes on.</summary>
    public static void PutBack(OpenSslErrors? errors)
    {
        if (OpenSslErrors.IsFound) OpenSslErrors.PutBack(errors);
    }

    // It comes with some module of Python's, so there is nothing to look for before there are others than before.
    private bool IsThereNow()
    {
        var modules = CApi.PyDict_Size(CApi.PyImport_GetModuleDict());
        if (modules == _modules) return false;
        _modules = modules;
        return OpenSslErrors.Find();
    }
}
