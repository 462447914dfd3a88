using static UGreen.Py.Machine.X64Register;

namespace UGreen.Py.Machine;

/// <summary>
/// Emits the functions that stand before the C library's (x64-stub.s is the listing of one of them, x64-tries.s that of what they share). On a green stack they try, and enter the hub
/// when the call would wait; anywhere else they are the C library's, three instructions later.
/// </summary>
internal static partial class X64Stubs
{
    private const sbyte DontWait = 0x40;
    private const int WaitAll = 0x100;
    private const sbyte WouldBlock = 11;
    private const sbyte Busy = 16;
    private const sbyte MutexOwner = 8;

    /// <summary>Offsets on the stack behind <see cref="Keep"/>.</summary>
    private const int Room = 0;
    private const int RoomEvents = 4;
    private const int KeptThird = 24;
    private const sbyte KeptBytes = 72;

    private const string Blocked = "blocked";
    private const string Answered = "answered";
    private const string AfterFlags = "after_flags";
    private const string Posted = "posted";
    private const string ToDoor = "to_door";

    private static readonly X64Register[] s_kept = [R11, Rax, R9, R8, Rcx, Rdx, Rsi, Rdi];

    /// <summary>What is tried for each kind.</summary>
    public static string LabelOf(FirstTry first) => first == FirstTry.None ? Blocked : "try_" + first.ToString().ToLowerInvariant();

    public static void Emit(X64Emitter x)
    {
        for (int number = 0; number < BlockingCall.All.Count; number++) EmitStub(x, BlockingCall.All[number], number);
        EmitReleases(x);
        EmitForked(x);
        EmitBlocked(x);
        EmitFlags(x);
        EmitSend(x);
        EmitWithoutTime(x, FirstTry.Poll, Rdx);
        EmitWithoutTime(x, FirstTry.EpollWait, Rcx);
        EmitReadable(x);
        EmitRead(x);
        EmitWrite(x);
        EmitForgetting(x);
        EmitMutex(x);
        EmitCommand(x);
        EmitYield(x);
        EmitCondition(x);
        EmitSignals(x);
        EmitSendMessage(x);
        EmitClose(x);
    }

    private static void EmitStub(X64Emitter x, BlockingCall call, int number)
    {
        string real = call.Name + ".real";
        x.Label(call.Name);
        x.Move(R10, Rsp);
        x.SubtractData(R10, PreloadData.RegionLow);
        x.CompareData(R10, PreloadData.RegionBytes);
        x.JumpIf(X64Condition.AboveOrEqual, real);
        x.LoadData(R10, PreloadData.CellAt);
        x.CompareAt(R10, 0);
        x.JumpIf(X64Condition.Equal, real);
        x.AddressOfData(R11, PreloadData.Real(call.Name));
        x.Set(Rax, number);
        x.JumpFarTo(LabelOf(call.Try));
        x.Label(real);
        x.JumpData(PreloadData.Real(call.Name));
    }

    private static void EmitReleases(X64Emitter x)
    {
        x.Label(PreloadData.SemPost);
        x.Push(Rdi);
        x.CallData(PreloadData.Real(PreloadData.SemPost));
        x.Pop(Rdi);
        x.CompareDataWith(PreloadData.SemWaiters, 0);
        x.JumpIf(X64Condition.NotEqual, Posted);
        x.Return();

        x.Label(PreloadData.Unlock);
        X64RecursiveMutex.EmitUnlock(x);
        x.CompareDataWith(PreloadData.MutexWaiters, 0);
        x.JumpIf(X64Condition.NotEqual, PreloadData.Unlock + ".told");
        x.JumpData(PreloadData.Real(PreloadData.Unlock));
        x.Label(PreloadData.Unlock + ".told");
        x.Push(Rdi);
        x.CallData(PreloadData.Real(PreloadData.Unlock));
        x.Pop(Rdi);

        x.Label(Posted);
        x.Push(Rax);
        x.Set(Rax, 1);
        x.FetchAndAddData(PreloadData.Tail, Rax);
        x.Move(Rcx, Rax);
        x.ShiftRight(Rcx, PreloadData.RingBits);
        x.ShiftLeft(Rcx, PreloadData.RoundShift);
        x.Or(Rdi, Rcx);
        x.And(Rax, PreloadData.RingSlots - 1);
        x.AddressOfData(Rdx, PreloadData.Ring);
        x.StoreIndexed(Rdx, Rax, Rdi);
        x.Zero(Rdx);
        x.ExchangeData(PreloadData.Sleeping, Rdx);
        x.Test(Rdx);
        x.JumpIf(X64Condition.Equal, Posted + ".done");
        x.LoadData(Rdi, PreloadData.WakeFd);
        x.AddressOfData(Rsi, PreloadData.One);
        x.Set(Rdx, sizeof(long));
        x.CallData(PreloadData.Real(PreloadData.Write));
        x.Label(Posted + ".done");
        x.Pop(Rax);
        x.Return();
    }

    private static void EmitForked(X64Emitter x)
    {
        x.Label(PreloadLibrary.Forked);
        x.Zero(Rax);
        x.StoreData(PreloadData.RegionBytes, Rax);
        x.StoreData(PreloadData.SemWaiters, Rax);
        x.StoreData(PreloadData.MutexWaiters, Rax);
        x.StoreData(PreloadData.ConditionWaiters, Rax);
        x.Return();
    }

    private static void EmitBlocked(X64Emitter x)
    {
        x.Label(Blocked);
        x.Or(R10, -1);
        x.Label(ToDoor);
        x.Load(R11, R11, 0);
        x.JumpData(PreloadData.Door);
    }

    private static void EmitFlags(X64Emitter x)
    {
        x.Label(LabelOf(FirstTry.ThirdFlags));
        x.TestBits32(Rdx, WaitAll);
        x.JumpFarIf(X64Condition.NotEqual, Blocked);
        Keep(x);
        x.Or(Rdx, DontWait);
        x.CallAt(R11);
        x.JumpTo(AfterFlags);

        x.Label(LabelOf(FirstTry.Flags));
        x.TestBits32(Rcx, WaitAll);
        x.JumpFarIf(X64Condition.NotEqual, Blocked);
        Keep(x);
        x.Or(Rcx, DontWait);
        x.CallAt(R11);
        x.Label(AfterFlags);
        x.CompareWith(Rax, -1);
        x.JumpIf(X64Condition.NotEqual, Answered);
        x.LoadData(Rcx, PreloadData.ErrnoAt);
        x.CompareAt32(Rcx, WouldBlock);
        x.JumpIf(X64Condition.NotEqual, Answered);
        Restore(x);
        x.JumpTo(Blocked);
        x.Label(Answered);
        x.Add(Rsp, KeptBytes);
        x.Return();
    }

    private static void EmitSend(X64Emitter x)
    {
        string partly = LabelOf(FirstTry.Send) + ".partly";
        x.Label(LabelOf(FirstTry.Send));
        Keep(x);
        x.Or(Rcx, DontWait);
        x.CallAt(R11);
        x.LoadStack(Rcx, KeptThird);
        x.Compare(Rax, Rcx);
        x.JumpFarIf(X64Condition.Equal, Answered);
        x.CompareWith(Rax, -1);
        x.JumpIf(X64Condition.NotEqual, partly);
        x.LoadData(Rcx, PreloadData.ErrnoAt);
        x.CompareAt32(Rcx, WouldBlock);
        x.JumpFarIf(X64Condition.NotEqual, Answered);
        x.Label(partly);
        x.Move(R10, Rax);
        Restore(x);
        x.JumpFarTo(ToDoor);
    }

    private static void EmitWithoutTime(X64Emitter x, FirstTry first, X64Register time)
    {
        x.Label(LabelOf(first));
        Keep(x);
        x.Zero(time);
        x.CallAt(R11);
        x.Test32(Rax);
        x.JumpFarIf(X64Condition.NotEqual, Answered);
        Restore(x);
        x.Test32(time);
        x.JumpFarIf(X64Condition.NotEqual, Blocked);
        x.Zero(Rax);
        x.Return();
    }

    private static void EmitMutex(X64Emitter x)
    {
        string busy = LabelOf(FirstTry.Mutex) + ".busy";
        x.Label(LabelOf(FirstTry.Mutex));
        X64RecursiveMutex.EmitBranch(x);
        x.Push(Rdi);
        x.Push(R11);
        x.Push(Rax);
        x.CallData(PreloadData.Real(PreloadData.TryLock));
        x.Move(Rcx, Rax);
        x.Pop(Rax);
        x.Pop(R11);
        x.Pop(Rdi);
        x.CompareWith32(Rcx, Busy);
        x.JumpIf(X64Condition.Equal, busy);
        x.Move(Rax, Rcx);
        x.Return();
        x.Label(busy);
        x.Load32(R10, Rdi, MutexOwner);
        x.CompareData(R10, PreloadData.HubThread);
        x.JumpFarIf(X64Condition.Equal, Blocked);
        x.JumpAt(R11);
        X64RecursiveMutex.Emit(x, Blocked);
    }

    // The call that was made, and one word of room, which also keeps the stack 16-byte aligned for a call.
    private static void Keep(X64Emitter x)
    {
        foreach (X64Register register in s_kept) x.Push(register);
        x.Subtract(Rsp, sizeof(long));
    }

    private static void Restore(X64Emitter x)
    {
        x.Add(Rsp, sizeof(long));
        for (int i = s_kept.Length - 1; i >= 0; i--) x.Pop(s_kept[i]);
    }
}
