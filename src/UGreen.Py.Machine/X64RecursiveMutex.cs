using UGreen.Py.Native;
using static UGreen.Py.Machine.X64Register;

namespace UGreen.Py.Machine;

/// <summary>
/// Recursive mutexes belong to a core, not to the OS thread that all cores share: <see cref="RecursiveMutex"/>. Part of the stubs; the listing is x64-tries.s.
/// </summary>
internal static class X64RecursiveMutex
{
    private const string Try = "try_recursive";
    private const string Take = Try + ".take";
    private const string Done = Try + ".done";
    private const string Plain = PreloadData.Unlock + ".plain";

    /// <summary>At the begin of pthread_mutex_lock on a green stack.</summary>
    public static void EmitBranch(X64Emitter x)
    {
        x.Load32(R10, Rdi, RecursiveMutex.Kind);
        x.CompareWith32(R10, RecursiveMutex.Recursive);
        x.JumpIf(X64Condition.Equal, Try);
    }

    /// <summary>At the begin of pthread_mutex_unlock, on any stack: the last unlock takes the note away.</summary>
    public static void EmitUnlock(X64Emitter x)
    {
        x.Load32(Rax, Rdi, RecursiveMutex.Kind);
        x.CompareWith32(Rax, RecursiveMutex.Recursive);
        x.JumpIf(X64Condition.NotEqual, Plain);
        x.Load32(Rax, Rdi, RecursiveMutex.Count);
        x.CompareWith32(Rax, 1);
        x.JumpIf(X64Condition.NotEqual, Plain);
        x.Zero(Rax);
        x.Store(Rdi, RecursiveMutex.Core, Rax);
        x.Label(Plain);
    }

    /// <summary>Where <see cref="EmitBranch"/> goes.</summary>
    /// <param name="x">The stubs.</param>
    /// <param name="blocked">Label of the way into the hub.</param>
    public static void Emit(X64Emitter x, string blocked)
    {
        x.Label(Try);
        x.LoadData(Rcx, PreloadData.CellAt);
        x.Load(Rcx, Rcx, 0);
        x.Load32(R10, Rdi, RecursiveMutex.Owner);
        x.CompareData(R10, PreloadData.HubThread);
        x.JumpIf(X64Condition.NotEqual, Take);
        x.Load(R10, Rdi, RecursiveMutex.Core);
        x.Compare(R10, Rcx);
        x.JumpIf(X64Condition.Equal, Take);
        x.Test(R10);
        x.JumpFarIf(X64Condition.NotEqual, blocked);
        x.Label(Take);
        x.Push(Rdi);
        x.CallAt(R11);
        x.Pop(Rdi);
        x.Test32(Rax);
        x.JumpIf(X64Condition.NotEqual, Done);
        x.LoadData(Rcx, PreloadData.CellAt);
        x.Load(Rcx, Rcx, 0);
        x.Store(Rdi, RecursiveMutex.Core, Rcx);
        x.Label(Done);
        x.Return();
    }
}
