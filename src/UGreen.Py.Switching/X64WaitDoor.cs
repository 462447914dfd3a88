using UGreen.Py.Machine;
using static UGreen.Py.Machine.X64Register;

namespace UGreen.Py.Switching;

/// <summary>
/// Emits the second door into the hub, by which calls of the C library come (adr/0040), and the identity of the cores (adr/0041): get_ident and the methods of RLock. The listing is
/// x64-waits.s; all of it changes together.
/// </summary>
internal static class X64WaitDoor
{
    /// <summary>What resume returns for a call of the C library that waits.</summary>
    public const int NativeCall = 2;

    /// <summary>Where a struct rlockobject has its owner, in CPython 3.10 to 3.14.</summary>
    public const int Owner = 24;

    public const string Door = "door";
    public const string GetIdent = "get_ident";
    public const string BeforeFork = "before_fork";
    public const string AfterFork = "after_fork";
    private const string Leave = "leave";
    private const string Rlock = "rlock";

    /// <summary>Label of the wrapper of a method.</summary>
    public static string Method(int index) => $"rlock_{index}";

    public static X64Code Build()
    {
        X64Emitter x = new();
        EmitDoor(x);
        EmitLeave(x);
        EmitGetIdent(x);
        for (int i = 0; i < WaitDoorData.Methods; i++) EmitMethod(x, i);
        EmitRlock(x);
        EmitFork(x);
        return x.Finish();
    }

    private static void EmitDoor(X64Emitter x)
    {
        x.Label(Door);
        x.Push(R9);
        x.Push(R8);
        x.Push(Rcx);
        x.Push(Rdx);
        x.Push(Rsi);
        x.Push(Rdi);
        x.Push(R11);
        x.Push(R10);
        x.LoadData(R10, WaitDoorData.ErrnoAt);
        x.Load32(R10, R10, 0);
        x.Push(R10);
        x.Push(Rax);
        x.LoadData(Rax, WaitDoorData.CellAt);
        x.Load(Rax, Rax, 0);
        x.Store(Rax, CoreRecordLayout.Wait, Rsp);
        x.CallTo(Leave);
        x.Pop(Rcx);
        x.Pop(R10);
        x.LoadData(R11, WaitDoorData.ErrnoAt);
        x.Store32(R11, 0, R10);
        x.Add(Rsp, WaitFrameLayout.Rest);
        x.Return();
    }

    private static void EmitLeave(X64Emitter x)
    {
        x.Label(Leave);
        X64Trampoline.EmitPark(x);
        x.Store(Rax, CoreRecordLayout.GreenSp, Rsp);
        x.Load(Rsp, Rax, CoreRecordLayout.HubSp);
        x.LoadData(Rdx, WaitDoorData.CellAt);
        x.Zero(Rcx);
        x.Store(Rdx, 0, Rcx);
        x.Set(Rax, NativeCall);
        X64Trampoline.EmitUnpark(x);
    }

    private static void EmitGetIdent(X64Emitter x)
    {
        x.Label(GetIdent);
        EmitIsGreen(x, GetIdent + ".own");
        x.Move(Rdi, Rax);
        x.JumpData(WaitDoorData.MakeNumber);
        x.Label(GetIdent + ".own");
        x.JumpData(WaitDoorData.OwnIdent);
    }

    private static void EmitMethod(X64Emitter x, int index)
    {
        x.Label(Method(index));
        x.LoadData(R11, WaitDoorData.OwnMethods + (index * 8));
        x.JumpFarTo(Rlock);
    }

    private static void EmitRlock(X64Emitter x)
    {
        x.Label(Rlock);
        EmitIsGreen(x, Rlock + ".own");
        x.Push(Rbx);
        x.Move(Rbx, Rdi);
        x.LoadData(R10, WaitDoorData.OsThread);
        x.Compare(Rax, Rbx, Owner);
        x.JumpIf(X64Condition.Equal, Rlock + ".hand_over");
        x.Compare(R10, Rbx, Owner);
        x.JumpIf(X64Condition.NotEqual, Rlock + ".call");
        x.LoadData(R10, WaitDoorData.MainStack);
        x.Label(Rlock + ".hand_over");
        x.Store(Rbx, Owner, R10);
        x.Label(Rlock + ".call");
        x.Call(R11);
        x.Load(Rcx, Rbx, Owner);
        x.LoadData(R10, WaitDoorData.OsThread);
        x.Compare(Rcx, R10);
        x.JumpIf(X64Condition.NotEqual, Rlock + ".others");
        x.LoadData(Rcx, WaitDoorData.CellAt);
        x.Load(R10, Rcx, 0);
        x.JumpTo(Rlock + ".hand_back");
        x.Label(Rlock + ".others");
        x.LoadData(Rdx, WaitDoorData.MainStack);
        x.Compare(Rcx, Rdx);
        x.JumpIf(X64Condition.NotEqual, Rlock + ".done");
        x.Label(Rlock + ".hand_back");
        x.Store(Rbx, Owner, R10);
        x.Label(Rlock + ".done");
        x.Pop(Rbx);
        x.Return();
        x.Label(Rlock + ".own");
        x.Jump(R11);
    }

    // A forked child loses its core to the hub, but not its identity: it may hold locks.
    private static void EmitFork(X64Emitter x)
    {
        x.Label(BeforeFork);
        x.LoadData(Rax, WaitDoorData.CellAt);
        x.Load(Rax, Rax, 0);
        x.StoreData(WaitDoorData.Forking, Rax);
        x.Return();
        x.Label(AfterFork);
        x.AddressOfData(Rax, WaitDoorData.Forking);
        x.StoreData(WaitDoorData.CellAt, Rax);
        x.Return();
    }

    // rax = the running core, when this is its stack.
    private static void EmitIsGreen(X64Emitter x, string otherwise)
    {
        x.LoadData(Rax, WaitDoorData.CellAt);
        x.Load(Rax, Rax, 0);
        x.Test(Rax);
        x.JumpIf(X64Condition.Equal, otherwise);
        x.Move(R10, Rsp);
        x.Subtract(R10, Rax, CoreRecordLayout.StackLow);
        x.Compare(R10, Rax, CoreRecordLayout.StackBytes);
        x.JumpIf(X64Condition.AboveOrEqual, otherwise);
    }
}
