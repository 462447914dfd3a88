using UGreen.Py.Machine;
using UGreen.Py.Native;
using static UGreen.Py.Machine.X64Register;

namespace UGreen.Py.Switching;

/// <summary>Emits what runs in the place of C# in a forked child. The listing is x64-fork.s; a test compares.</summary>
internal static class X64ForkHandler
{
    public const string Child = "child";
    public const string Prepare = "prepare";
    public const string Release = "release";
    public const string Refuse = "refuse";
    public const string Pending = "pending";
    public const string Leaving = "leaving";
    public const string End = "end";

    /// <summary>Size of the kernel's struct sigaction.</summary>
    public const int ActionBytes = 32;

    /// <summary>The highest number of a signal.</summary>
    public const int LastSignal = 64;

    /// <summary>Size of a pair on the data page.</summary>
    public const int PairBytes = 16;

    /// <summary>Offset of a pair's second word.</summary>
    public const int Second = 8;

    /// <summary>Offset of the marks in the memory of <see cref="OwnDescriptors"/>.</summary>
    public const int Marks = OwnDescriptors.MarksOffset;

    /// <summary>Offset of the name in the object that a hub call's trampoline gets as self.</summary>
    public const int Name = 24;

    /// <summary>Number of rt_sigprocmask(2) on x86-64.</summary>
    public const int MaskCall = 14;

    /// <summary>SIG_SETMASK.</summary>
    public const int SetMask = 2;

    /// <summary>Number of close(2) on x86-64.</summary>
    public const int CloseCall = 3;

    /// <summary>Number of exit_group(2) on x86-64.</summary>
    public const int ExitCall = 231;

    /// <summary>How a child ends that comes back to the server.</summary>
    public const int Failure = 1;

    private const string Word = "word";
    private const string Signals = "signals";
    private const string Signal = "signal";
    private const string Handler = "handler";
    private const string Other = "other";
    private const string Next = "next";
    private const string Descriptor = "descriptor";
    private const string Done = "done";
    private const string Drop = "drop";
    private const string Exit = "exit";
    private const string Stay = "stay";

    public static X64Code Build()
    {
        X64Emitter x = new();
        EmitWords(x);
        EmitSignals(x);
        EmitDescriptors(x);
        EmitMask(x);
        EmitRefusal(x);
        EmitPending(x);
        EmitLeaving(x);
        EmitEnd(x);
        return x.Finish();
    }

    private static void EmitWords(X64Emitter x)
    {
        x.Label(Child);
        x.Push(Rbx);
        x.Subtract(Rsp, (sbyte)ActionBytes);
        x.AddressOfData(Rbx, ForkData.Words);
        x.Label(Word);
        x.Load(Rax, Rbx, 0);
        x.Test(Rax);
        x.JumpIf(X64Condition.Equal, Signals);
        x.Load(Rcx, Rbx, Second);
        x.Store(Rax, 0, Rcx);
        x.Add(Rbx, (sbyte)PairBytes);
        x.JumpTo(Word);
    }

    private static void EmitSignals(X64Emitter x)
    {
        x.Label(Signals);
        x.Set(Rbx, LastSignal);
        x.Label(Signal);
        x.Zero(Rsi);
        x.Move(Rdx, Rsp);
        EmitAction(x);
        x.Move(R8, Rsp);
        x.Load(Rax, R8, 0);
        x.AddressOfData(R9, ForkData.Handlers);
        x.Label(Handler);
        x.Load(Rcx, R9, 0);
        x.Test(Rcx);
        x.JumpIf(X64Condition.Equal, Next);
        x.Move(Rdx, Rax);
        x.Subtract(Rdx, R9, 0);
        x.Compare(Rdx, R9, Second);
        x.JumpIf(X64Condition.AboveOrEqual, Other);
        x.AddressOfData(Rsi, ForkData.DefaultAction);
        x.Zero(Rdx);
        EmitAction(x);
        x.JumpTo(Next);
        x.Label(Other);
        x.Add(R9, (sbyte)PairBytes);
        x.JumpTo(Handler);
        x.Label(Next);
        x.Decrement(Rbx);
        x.JumpIf(X64Condition.NotEqual, Signal);
    }

    // rt_sigaction(rbx, rsi, rdx, MaskBytes)
    private static void EmitAction(X64Emitter x)
    {
        x.Move(Rdi, Rbx);
        x.Set(Rax, X64OverflowHandler.MaskBytes);
        x.Move(R10, Rax);
        x.Set(Rax, X64OverflowHandler.ActionCall);
        x.SystemCall();
    }

    private static void EmitDescriptors(X64Emitter x)
    {
        x.LoadData(Rsi, ForkData.Descriptors);
        x.Load(Rbx, Rsi, 0);
        x.Add(Rsi, (sbyte)Marks);
        x.Add(Rsi, Rbx);
        x.Label(Descriptor);
        x.Test(Rbx);
        x.JumpIf(X64Condition.Equal, Done);
        x.Decrement(Rbx);
        x.Decrement(Rsi);
        x.TestByte(Rsi);
        x.JumpIf(X64Condition.Equal, Descriptor);
        x.Move(Rdi, Rbx);
        x.Set(Rax, CloseCall);
        x.SystemCall();
        x.JumpTo(Descriptor);
        x.Label(Done);
        x.Add(Rsp, (sbyte)ActionBytes);
        x.Pop(Rbx);
    }

    // Follows the code for the child, which goes on into Release.
    private static void EmitMask(X64Emitter x)
    {
        x.Label(Release);
        x.Set(Rdi, SetMask);
        x.AddressOfData(Rsi, ForkData.SavedMask);
        x.Zero(Rdx);
        EmitMaskCall(x);
        x.Label(Prepare);
        x.Set(Rdi, SetMask);
        x.AddressOfData(Rsi, ForkData.AllSignals);
        x.AddressOfData(Rdx, ForkData.SavedMask);
        EmitMaskCall(x);
    }

    // rt_sigprocmask(rdi, rsi, rdx, MaskBytes)
    private static void EmitMaskCall(X64Emitter x)
    {
        x.Set(Rax, X64OverflowHandler.MaskBytes);
        x.Move(R10, Rax);
        x.Set(Rax, MaskCall);
        x.SystemCall();
        x.Return();
    }

    private static void EmitRefusal(X64Emitter x)
    {
        x.Label(Refuse);
        x.Load(Rdx, Rdi, Name);
        x.LoadData(Rdi, ForkData.RuntimeError);
        x.AddressOfData(Rsi, ForkData.RefusalText);
        x.Zero(Rax);
        x.JumpData(ForkData.Format);
    }

    private static void EmitPending(X64Emitter x)
    {
        x.Label(Pending);
        x.LoadData(Rax, ForkData.Forked);
        x.Test(Rax);
        x.JumpIf(X64Condition.NotEqual, Drop);
        x.JumpData(ForkData.Pending);
        x.Label(Drop);
        x.Zero(Rax);
        x.Return();
    }

    private static void EmitLeaving(X64Emitter x)
    {
        x.Label(Leaving);
        x.LoadData(Rax, ForkData.Forked);
        x.Test(Rax);
        x.JumpIf(X64Condition.Equal, Stay);
        x.Push(Rbx);
        x.Move(Rbx, Rdi);
        x.Zero(Rdi);
        x.CallData(ForkData.Flush);
        x.Label(Exit);
        x.Move(Rdi, Rbx);
        x.Set(Rax, ExitCall);
        x.SystemCall();
        x.Trap();
        x.Label(Stay);
        x.Return();
    }

    private static void EmitEnd(X64Emitter x)
    {
        x.Label(End);
        x.Set(Rdi, X64OverflowHandler.StandardError);
        x.AddressOfData(Rsi, ForkData.EndText);
        x.LoadData(Rdx, ForkData.EndBytes);
        x.Set(Rax, X64OverflowHandler.WriteCall);
        x.SystemCall();
        x.Set(Rbx, Failure);
        x.JumpTo(Exit);
    }
}
