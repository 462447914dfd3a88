using System.Runtime.CompilerServices;
using UGreen.Py.CPython.Api;

namespace UGreen.Py.CPython;

/// <summary>The arguments of one hub call, in the caller's Python frame: valid until the call is answered.</summary>
public readonly struct HubCallArguments(nint args, nint nargs, nint kwnames)
{
    // nargs carries a flag in its top bit (PY_VECTORCALL_ARGUMENTS_OFFSET).
    private const long CountMask = long.MaxValue;

    /// <summary>Number of positional arguments.</summary>
    public int Count => (int)(nargs & CountMask);

    /// <summary>True when the caller used keywords.</summary>
    public bool HasKeywords => kwnames != 0 && CApi.PyTuple_Size(new BorrowedRef(kwnames)) > 0;

    /// <summary>Positional argument <paramref name="index"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer: a hub call that reads more than its arity promises.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public BorrowedRef At(int index)
    {
        if ((uint)index >= (uint)Count) ThrowNoSuch(index);
        return PyFast.Argument(args, index);
    }

    /// <summary>The keyword argument of this name, or NULL.</summary>
    public BorrowedRef Keyword(string name)
    {
        if (kwnames == 0) return BorrowedRef.Null;
        var names = new BorrowedRef(kwnames);
        for (nint i = 0, n = CApi.PyTuple_Size(names); i < n; i++)
        {
            if (PyText.ToText(CApi.PyTuple_GetItem(names, i)) == name) return PyFast.Argument(args, Count + (int)i);
        }

        return BorrowedRef.Null;
    }

    private static void ThrowNoSuch(int index) => throw new ArgumentOutOfRangeException(nameof(index), index, "the hub call has no such argument");

    /// <summary>Names of all keyword arguments.</summary>
    public IEnumerable<string> KeywordNames()
    {
        if (kwnames == 0) yield break;
        var names = new BorrowedRef(kwnames);
        for (nint i = 0, n = CApi.PyTuple_Size(names); i < n; i++) yield return PyText.ToText(CApi.PyTuple_GetItem(names, i)) ?? "?";
    }
}
