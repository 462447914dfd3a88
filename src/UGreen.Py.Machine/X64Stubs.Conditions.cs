using static UGreen.Py.Machine.X64Register;

namespace UGreen.Py.Machine;

/// <summary>Condition variables, and what else need not try the call itself. The listing is the end of x64-tries.s.</summary>
internal static partial class X64Stubs
{
    private const sbyte SetLockAndWait = 7; // F_SETLKW
    private const sbyte SetOpenFileLockAndWait = 38; // F_OFD_SETLKW
    private const sbyte ApartBytes = 16;
    private const int KeptSecond = 16;

    // struct msghdr and struct iovec
    private const int MessageVector = 16;
    private const int MessageParts = 24;
    private const int VectorBytes = 8;

    private static void EmitCommand(X64Emitter x)
    {
        x.Label(LabelOf(FirstTry.Command));
        foreach (sbyte command in (ReadOnlySpan<sbyte>)[SetLockAndWait, SetOpenFileLockAndWait])
        {
            x.CompareWith32(Rsi, command);
            x.JumpFarIf(X64Condition.Equal, Blocked);
        }

        x.Zero(Rax);
        x.JumpAt(R11);
    }

    private static void EmitYield(X64Emitter x)
    {
        string name = LabelOf(FirstTry.Yield);
        x.Label(name);
        EmitIsApart(x, name, PreloadData.ApartRuntime);
        x.JumpFarTo(Blocked);
        EmitApart(x, name);
    }

    private static void EmitCondition(X64Emitter x)
    {
        string name = LabelOf(FirstTry.Condition);
        x.Label(name);
        EmitIsApart(x, name, PreloadData.Apart);
        x.Push(Rsi);
        x.Load(R11, R11, 0);
        x.Or(R10, -1);
        x.CallData(PreloadData.Door);
        x.Pop(Rdi);
        x.Test32(Rax);
        x.JumpIf(X64Condition.Negative, name + ".refused");
        x.Push(Rax);
        x.CallTo("pthread_mutex_lock");
        x.Pop(Rcx);
        x.Test32(Rax);
        x.JumpIf(X64Condition.NotEqual, name + ".done");
        x.Move(Rax, Rcx);
        x.Label(name + ".done");
        x.Return();
        x.Label(name + ".refused");
        x.Negate32(Rax);
        x.Return();
        EmitApart(x, name);
    }

    private static void EmitSignals(X64Emitter x)
    {
        foreach (string name in (ReadOnlySpan<string>)[PreloadData.Signal, PreloadData.Broadcast])
        {
            string told = name + ".told";
            x.Label(name);
            x.CompareDataWith(PreloadData.ConditionWaiters, 0);
            x.JumpIf(X64Condition.NotEqual, told);
            x.JumpData(PreloadData.Real(name));
            x.Label(told);
            x.Push(Rdi);
            x.CallData(PreloadData.Real(name));
            x.Pop(Rdi);
            if (name == PreloadData.Broadcast) x.Or(Rdi, 1);
            x.JumpFarTo(Posted);
        }
    }

    // Of a message in one piece it is plain whether all of it is sent; of others the hub finds out.
    private static void EmitSendMessage(X64Emitter x)
    {
        string sent = LabelOf(FirstTry.SendMessage) + ".sent";
        string partly = LabelOf(FirstTry.SendMessage) + ".partly";
        x.Label(LabelOf(FirstTry.SendMessage));
        Keep(x);
        x.Or(Rdx, DontWait);
        x.CallAt(R11);
        x.CompareWith(Rax, -1);
        x.JumpIf(X64Condition.NotEqual, sent);
        x.LoadData(Rcx, PreloadData.ErrnoAt);
        x.CompareAt32(Rcx, WouldBlock);
        x.JumpFarIf(X64Condition.NotEqual, Answered);
        x.JumpTo(partly);
        x.Label(sent);
        x.LoadStack(Rcx, KeptSecond);
        x.Load(Rdx, Rcx, MessageParts);
        x.CompareWith(Rdx, 1);
        x.JumpIf(X64Condition.NotEqual, partly);
        x.Load(Rcx, Rcx, MessageVector);
        x.Compare(Rax, Rcx, VectorBytes);
        x.JumpFarIf(X64Condition.Equal, Answered);
        x.Label(partly);
        x.Move(R10, Rax);
        Restore(x);
        x.JumpFarTo(ToDoor);
    }

    private static void EmitClose(X64Emitter x)
    {
        const int GetPid = 39;
        const string real = PreloadData.Close + ".real";
        x.Label(PreloadData.Close);
        EmitForgetFd(x, PreloadData.Close, Rdi);
        x.Lea32(Rax, Rdi, 0);
        x.CompareWithFar(Rax, PreloadData.WaitedFds);
        x.JumpIf(X64Condition.AboveOrEqual, real);
        x.TestBitOfData(PreloadData.Waited, Rax);
        x.JumpIf(X64Condition.AboveOrEqual, real);
        x.Set(Rax, GetPid);
        x.SystemCall();
        x.CompareData(Rax, PreloadData.Process);
        x.JumpIf(X64Condition.NotEqual, real);
        x.Lea32(Rax, Rdi, 0);
        x.TakeBitOfData(PreloadData.Waited, Rax);
        x.JumpIf(X64Condition.AboveOrEqual, real);
        x.Push(Rdi);
        x.Move(Rdi, Rax);
        x.ShiftLeft(Rdi, 1);
        x.Or(Rdi, 1);
        x.CallTo(Posted);
        x.Pop(Rdi);
        x.Label(real);
        x.JumpData(PreloadData.Real(PreloadData.Close));
    }

    // Goes to NAME.apart, with r11 pushed, when the caller is in one of the ranges that are kept apart.
    private static void EmitIsApart(X64Emitter x, string name, int ranges)
    {
        x.Push(R11);
        x.AddressOfData(R10, ranges);
        x.Label(name + ".next");
        x.LoadStack(R11, sizeof(long));
        x.Subtract(R11, R10, 0);
        x.Compare(R11, R10, sizeof(long));
        x.JumpIf(X64Condition.Below, name + ".apart");
        x.Add(R10, ApartBytes);
        x.CompareAt(R10, 0);
        x.JumpIf(X64Condition.NotEqual, name + ".next");
        x.Pop(R11);
    }

    private static void EmitApart(X64Emitter x, string name)
    {
        x.Label(name + ".apart");
        x.Pop(R11);
        x.JumpAt(R11);
    }
}
