using UGreen.Py.Machine;
using static UGreen.Py.Machine.X64Register;

namespace UGreen.Py.Switching;

/// <summary>Emits the posix switch: hubcall and entry around the C library's swapcontext and setcontext. The listing is x64-posix.s; a test compares.</summary>
internal static class X64PosixTrampoline
{
    public static X64Code Build()
    {
        X64Emitter x = new();
        EmitHubCall(x);
        EmitEntry(x);
        return x.Finish();
    }

    private static void EmitHubCall(X64Emitter x)
    {
        X64Prologue.Emit(x);
        x.Push(Rbx);
        x.Move(Rbx, Rax);
        x.Store(Rbx, CoreRecordLayout.GreenSp, Rsp);
        x.Zero(Rcx);
        x.StoreData(TrampolineData.Cell, Rcx);
        x.Load(Rdi, Rbx, CoreRecordLayout.GreenContext);
        x.Load(Rsi, Rbx, CoreRecordLayout.HubContext);
        x.CallData(TrampolineData.SwapContext);
        x.Load(Rax, Rbx, CoreRecordLayout.Result);
        x.Zero(Rcx);
        x.Store(Rbx, CoreRecordLayout.Result, Rcx);
        x.Pop(Rbx);
        x.Return();
        X64Prologue.EmitSlowPath(x);
    }

    private static void EmitEntry(X64Emitter x)
    {
        x.Label(X64Prologue.Entry);
        x.LoadData(Rbx, TrampolineData.Cell);
        x.Zero(Rbp);
        x.Push(Rbp);
        x.Zero(Rcx);
        x.Store(Rbx, CoreRecordLayout.Result, Rcx);
        x.Load(Rdi, Rbx, CoreRecordLayout.Callable);
        x.CallData(TrampolineData.CallNoArgs);
        X64Prologue.EmitChildCheck(x);
        x.Store(Rbx, CoreRecordLayout.Result, Rax);
        x.Zero(Rcx);
        x.StoreData(TrampolineData.Cell, Rcx);
        x.Load(Rdi, Rbx, CoreRecordLayout.HubContext);
        x.CallData(TrampolineData.SetContext);
        x.Trap();
        X64Prologue.EmitChildEnd(x);
    }
}
