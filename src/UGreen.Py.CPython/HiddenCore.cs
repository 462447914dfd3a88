using UGreen.Py.Native;

namespace UGreen.Py.CPython;

/// <summary>
/// While it lives, the trampoline does not know that a green thread runs, so every hub call takes the fallback and none can switch.
/// <para>
/// C# that runs on a green stack must be in such a scope: what it calls of Python's may run Python code (a finalizer, a callback of a weak reference), and a hub call from there that switched away
/// would leave managed frames behind on a stack that the CLR does not see (docs/adr/0002).
/// </para>
/// </summary>
public readonly unsafe ref struct HiddenCore : IDisposable
{
    private readonly nint* _cell;
    private readonly nint _core;
    private readonly int _process;

    // SAFETY: the cell is a word on the trampoline's data page, which lives as long as the process. Only the hub thread writes it, and this runs on the hub thread.
    private HiddenCore(nint* cell)
    {
        _cell = cell;
        _core = *cell;
        _process = OwnProcess.Id;
        *cell = 0;
    }

    /// <summary>Hides the core that runs; none may run, and then nothing changes. Hub thread.</summary>
    /// <param name="cell">Address of the word that holds the running core's record, or 0.</param>
    // SAFETY: see the constructor.
    public static HiddenCore Begin(nint cell) => new((nint*)cell);

    /// <summary>Hub calls switch again.</summary>
    // SAFETY: see the constructor. Nothing in the scope can have switched, so the core that ran still does; but not in a child that was forked meanwhile.
    public void Dispose()
    {
        if (OwnProcess.Id == _process) *_cell = _core;
    }
}
