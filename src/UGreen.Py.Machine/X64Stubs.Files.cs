using static UGreen.Py.Machine.X64Register;

namespace UGreen.Py.Machine;

/// <summary>read and write, which have no flag that says "do not wait": what is known of the descriptor decides. The hub finds it out once; whatever closes a descriptor forgets it.</summary>
internal static partial class X64Stubs
{
    private const int PollIn = 1;
    private const int PollOut = 4;
    private const int NoWait = 8; // RWF_NOWAIT
    private const int ReadNow = 327; // preadv2
    private const int WriteNow = 328; // pwritev2
    private const int MostErrno = 4096;

    /// <summary>POSIX: that many bytes go into a pipe in one piece, or not at all.</summary>
    private const int PipeBuffer = 4096;

    private const sbyte NotSupported = 95;
    private const string Writable = "writable";
    private const string FailedNow = "failed_now";

    private static void EmitReadable(X64Emitter x)
    {
        x.Label(LabelOf(FirstTry.Readable));
        EmitReady(x, LabelOf(FirstTry.Readable), PollIn);
    }

    private static void EmitRead(X64Emitter x)
    {
        string first = LabelOf(FirstTry.Read);
        x.Label(first);
        EmitKind(x, first, LabelOf(FirstTry.Readable));
        x.Label(first + ".now");
        EmitNow(x, ReadNow);
        x.CompareWithFar(R10, -MostErrno);
        x.JumpIf(X64Condition.Above, first + ".refused");
        x.Move(Rax, R10);
        x.Return();
        x.Label(first + ".refused");
        x.CompareWith(R10, -WouldBlock);
        x.JumpFarIf(X64Condition.Equal, Blocked);
        x.CompareWith(R10, -NotSupported);
        x.JumpFarIf(X64Condition.Equal, LabelOf(FirstTry.Readable));

        // The call is not made again to find its error: a socket's is taken away by the first that gets it.
        x.Label(FailedNow);
        x.Move(Rax, R10);
        x.Negate32(Rax);
        x.LoadData(Rcx, PreloadData.ErrnoAt);
        x.Store32(Rcx, 0, Rax);
        x.Or(Rax, -1);
        x.Return();
    }

    private static void EmitWrite(X64Emitter x)
    {
        string first = LabelOf(FirstTry.Write);
        x.Label(first);
        x.Lea32(R10, Rdi, -1);
        x.CompareWith32(R10, 1);
        x.JumpFarIf(X64Condition.BelowOrEqual, Writable + ".real");
        EmitKind(x, first, Writable);
        x.Label(first + ".now");
        EmitNow(x, WriteNow);
        x.CompareWithFar(R10, -MostErrno);
        x.JumpIf(X64Condition.Above, first + ".refused");
        x.Compare(R10, Rdx);
        x.JumpFarIf(X64Condition.NotEqual, ToDoor);
        x.Move(Rax, R10);
        x.Return();
        x.Label(first + ".refused");
        x.CompareWith(R10, -WouldBlock);
        x.JumpFarIf(X64Condition.Equal, Blocked);
        x.CompareWith(R10, -NotSupported);
        x.JumpFarIf(X64Condition.NotEqual, FailedNow);
        x.Label(Writable);
        x.CompareWithFar(Rdx, PipeBuffer);
        x.JumpFarIf(X64Condition.Above, Blocked);
        EmitReady(x, Writable, PollOut);
    }

    private static void EmitKind(X64Emitter x, string first, string other)
    {
        x.Lea32(Rdi, Rdi, 0);
        x.CompareWithFar(Rdi, PreloadData.KnownFds);
        x.JumpFarIf(X64Condition.AboveOrEqual, other);
        x.AddressOfData(R10, PreloadData.Kinds);
        x.Add(R10, Rdi);
        x.CompareByteAt(R10, (sbyte)FdKind.Stream);
        x.JumpIf(X64Condition.Equal, first + ".now");
        x.CompareByteAt(R10, (sbyte)FdKind.Unknown);
        x.JumpFarIf(X64Condition.Equal, Blocked);
        x.CompareByteAt(R10, (sbyte)FdKind.File);
        x.JumpFarIf(X64Condition.NotEqual, other);
        x.JumpAt(R11);
    }

    // Without the C library, whose wrapper costs as much as the rest: it is no place where a thread is cancelled, and errno stays as it is.
    private static void EmitNow(X64Emitter x, int systemCall)
    {
        x.Push(R11);
        x.Push(Rax);
        x.Push(Rdx);
        x.Push(Rsi);
        x.Move(Rsi, Rsp);
        x.Set(Rdx, 1);
        x.Or(R10, -1);
        x.Set(Rax, NoWait);
        x.Move(R9, Rax);
        x.Set(Rax, systemCall);
        x.SystemCall();
        x.Move(R10, Rax);
        x.Pop(Rsi);
        x.Pop(Rdx);
        x.Pop(Rax);
        x.Pop(R11);
    }

    private static void EmitReady(X64Emitter x, string name, int events)
    {
        Keep(x);
        x.StoreStack32(Room, Rdi);
        x.Set(Rax, events);
        x.StoreStack32(RoomEvents, Rax);
        x.Move(Rdi, Rsp);
        x.Set(Rsi, 1);
        x.Zero(Rdx);
        x.CallData(PreloadData.Real(PreloadData.Poll));
        x.Move(R10, Rax);
        Restore(x);
        x.Test(R10);
        x.JumpFarIf(X64Condition.Equal, Blocked);
        x.Label(name + ".real");
        x.JumpAt(R11);
    }

    private static void EmitForgetting(X64Emitter x)
    {
        foreach (string function in PreloadData.Replacing)
        {
            x.Label(function);
            EmitForgetFd(x, function, Rsi);
            x.JumpData(PreloadData.Real(function));
        }

        foreach (string function in PreloadData.ClosingMany)
        {
            x.Label(function);
            x.Push(Rdi);
            x.AddressOfData(Rdi, PreloadData.Kinds);
            x.Set(Rcx, PreloadData.KnownFds / sizeof(long));
            x.Zero(Rax);
            x.FillQuadWords();
            x.Pop(Rdi);
            x.JumpData(PreloadData.Real(function));
        }

        x.Label(PreloadData.CloseStream);
        x.Push(Rdi);
        x.CallData(PreloadData.Real(PreloadData.StreamFd));
        x.Pop(Rdi);
        EmitForgetFd(x, PreloadData.CloseStream, Rax);
        x.JumpData(PreloadData.Real(PreloadData.CloseStream));
    }

    private static void EmitForgetFd(X64Emitter x, string function, X64Register fd)
    {
        x.Lea32(fd, fd, 0);
        x.CompareWithFar(fd, PreloadData.KnownFds);
        x.JumpIf(X64Condition.AboveOrEqual, function + ".forgotten");
        x.AddressOfData(R10, PreloadData.Kinds);
        x.Add(R10, fd);
        x.StoreByteAt(R10, 0);
        x.Label(function + ".forgotten");
    }
}
