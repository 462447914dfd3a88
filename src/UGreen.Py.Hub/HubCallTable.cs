using UGreen.Py.CPython;

namespace UGreen.Py.Hub;

/// <summary>All hub calls, by number. Filled before the hub runs; read-only afterwards.</summary>
public sealed class HubCallTable
{
    private readonly List<HubCall> _calls = [];
    private HubCall[] _byNumber = [];

    /// <summary>All registered calls; a call's number is its index.</summary>
    public IReadOnlyList<HubCall> All => _calls;

    /// <summary>Adds a call. Two of one name are a bug.</summary>
    public void Register(HubCall call)
    {
        if (_calls.Any(c => c.Name == call.Name)) throw new HubInvariantException($"two hub calls are called {call.Name}");
        _calls.Add(call);
        _byNumber = [.. _calls];
    }

    internal HubCall this[int number] => _byNumber[number];

    /// <summary>Makes a Python built-in function for every call and sets it in <paramref name="dict"/>. Needs the GIL.</summary>
    public void Publish(BorrowedRef dict, nint trampoline, BorrowedRef moduleName)
    {
        for (var i = 0; i < _byNumber.Length; i++)
        {
            using var function = HubCallFunctions.Create(_byNumber[i].Name, _byNumber[i].Doc, i, trampoline, moduleName);
            if (CPython.Api.CApi.PyDict_SetItemString(dict, _byNumber[i].Name, function.Borrow()) < 0) throw PythonException.Fetch();
        }
    }
}
