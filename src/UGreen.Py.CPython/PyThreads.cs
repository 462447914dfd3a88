using UGreen.Py.CPython.Api;

namespace UGreen.Py.CPython;

/// <summary>The OS threads that have run Python code and have not ended. With the GIL.</summary>
public static class PyThreads
{
    /// <summary>There is another one than the calling.</summary>
    public static bool AreOthers()
    {
        var first = CApi.PyInterpreterState_ThreadHead(CApi.PyInterpreterState_Get());
        return CApi.PyThreadState_Next(first) != 0;
    }
}
