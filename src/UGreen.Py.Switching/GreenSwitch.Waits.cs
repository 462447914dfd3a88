using UGreen.Py.Machine;
using UGreen.Py.Native;

namespace UGreen.Py.Switching;

/// <summary>The second door, and the identity of the cores.</summary>
// SAFETY: see the other part; the data page is WaitDoorData.Bytes long and the offsets are those that the code was built with.
public abstract unsafe partial class GreenSwitch
{
    /// <summary>Address of the word that holds the running core's record, or 0.</summary>
    public nint CellAddress => (nint)_cell;

    /// <summary>Makes the second door, for calls of the C library, and the functions that give each core an identity. Hub thread, once.</summary>
    /// <param name="makeNumber">Address of PyLong_FromUnsignedLong.</param>
    /// <param name="osThread">The hub's OS thread, as pthread_self() and so CPython names it.</param>
    public WaitDoor OpenDoor(nint makeNumber, nint osThread)
    {
        X64Code code = X64WaitDoor.Build();
        CodePage page = CodePage.Create(code.Bytes, WaitDoorData.Bytes);
        *(nint*)(page.Data + WaitDoorData.CellAt) = CellAddress;
        *(nint*)(page.Data + WaitDoorData.ErrnoAt) = CError.Address;
        *(nint*)(page.Data + WaitDoorData.OsThread) = osThread;

        // An address that is no thread's and no core's.
        *(nint*)(page.Data + WaitDoorData.MainStack) = page.Data;
        *(nint*)(page.Data + WaitDoorData.MakeNumber) = makeNumber;
        OwnProcess.RegisterFork(page.Address + code.Labels[X64WaitDoor.BeforeFork], page.Address + code.Labels[X64WaitDoor.AfterFork]);
        return new WaitDoor(page, code);
    }

    /// <summary>The call by which a core arrived.</summary>
    public static NativeCall NativeCallOf(GreenCore core) => new(core.Record->Wait);
}
