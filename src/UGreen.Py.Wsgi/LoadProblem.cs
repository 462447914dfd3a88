using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;

namespace UGreen.Py.Wsgi;

/// <summary>Something that <c>ugreen._boot.load()</c> could not load.</summary>
/// <param name="Message">One line for the user.</param>
/// <param name="Traceback">What Python says of it; null when there is nothing more to say.</param>
internal readonly record struct LoadProblem(string Message, string? Traceback)
{
    /// <summary>What stands below the line in a log; empty when there is nothing more to say.</summary>
    public string Details => Traceback is null ? "" : "\n" + Traceback.TrimEnd();

    /// <summary>Reads a Python list of (message, traceback or None).</summary>
    public static List<LoadProblem> ReadAll(BorrowedRef list)
    {
        var problems = new List<LoadProblem>();
        var count = CApi.PyList_Size(list);
        for (nint i = 0; i < count; i++)
        {
            var item = CApi.PyList_GetItem(list, i);
            problems.Add(new LoadProblem(
                PyText.ToText(CApi.PyTuple_GetItem(item, 0)) ?? "the application could not be loaded",
                PyText.ToText(CApi.PyTuple_GetItem(item, 1))));
        }

        return problems;
    }
}
