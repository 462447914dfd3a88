using UGreen.Py.Machine;
using static UGreen.Py.Machine.X64Register;

namespace UGreen.Py.Switching;

/// <summary>
/// Emits the direct switch: resume, hubcall and entry. The commented listing is x64.s and a test compares the two instruction by instruction; the stack
/// pictures are in SwitchContract.md. All three change together.
/// </summary>
internal static class X64Trampoline
{
    /// <summary>What resume returns for a hub call that is waiting; a finished green thread gives 0.</summary>
    private const int Waiting = 1;

    /// <summary>Pushed in this order and popped in the opposite one, which gives the offsets of <see cref="SwitchFrameLayout"/>.</summary>
    private static readonly X64Register[] s_kept = [Rbp, Rbx, R12, R13, R14, R15];

    public static X64Code Build()
    {
        X64Emitter x = new();
        EmitResume(x);
        EmitHubCall(x);
        EmitEntry(x);
        return x.Finish();
    }

    private static void EmitResume(X64Emitter x)
    {
        x.Label(X64Prologue.Resume);
        EmitPark(x);
        x.StoreData(TrampolineData.Cell, Rdi);
        x.Store(Rdi, CoreRecordLayout.HubSp, Rsp);
        x.Load(Rsp, Rdi, CoreRecordLayout.GreenSp);
        x.Load(Rax, Rdi, CoreRecordLayout.Result);
        x.Zero(Rcx);
        x.Store(Rdi, CoreRecordLayout.GreenSp, Rcx);
        x.Store(Rdi, CoreRecordLayout.Result, Rcx);
        EmitUnpark(x);
    }

    private static void EmitHubCall(X64Emitter x)
    {
        X64Prologue.Emit(x);
        EmitPark(x);
        x.Store(Rax, CoreRecordLayout.GreenSp, Rsp);
        x.Load(Rsp, Rax, CoreRecordLayout.HubSp);
        x.Zero(Rcx);
        x.StoreData(TrampolineData.Cell, Rcx);
        x.Set(Rax, Waiting);
        EmitUnpark(x);
        X64Prologue.EmitSlowPath(x);
    }

    private static void EmitEntry(X64Emitter x)
    {
        x.Label(X64Prologue.Entry);
        x.Move(Rbx, Rdi);
        x.Load(Rdi, Rbx, CoreRecordLayout.Callable);
        x.CallData(TrampolineData.CallNoArgs);
        X64Prologue.EmitChildCheck(x);
        x.Store(Rbx, CoreRecordLayout.Result, Rax);
        x.Load(Rsp, Rbx, CoreRecordLayout.HubSp);
        x.Zero(Rax);
        x.StoreData(TrampolineData.Cell, Rax);
        EmitUnpark(x);
        X64Prologue.EmitChildEnd(x);
    }

    internal static void EmitPark(X64Emitter x)
    {
        foreach (X64Register register in s_kept) x.Push(register);
        x.Subtract(Rsp, SwitchFrameLayout.ControlBytes);
        x.StoreMxcsr(SwitchFrameLayout.Mxcsr);
        x.StoreX87(SwitchFrameLayout.X87);
    }

    internal static void EmitUnpark(X64Emitter x)
    {
        x.LoadMxcsr(SwitchFrameLayout.Mxcsr);
        x.LoadX87(SwitchFrameLayout.X87);
        x.Add(Rsp, SwitchFrameLayout.ControlBytes);
        for (int i = s_kept.Length - 1; i >= 0; i--) x.Pop(s_kept[i]);
        x.Return();
    }
}
