using UGreen.Py.Machine;
using static UGreen.Py.Machine.X64Register;

namespace UGreen.Py.Switching;

/// <summary>The start of hubcall, the same for both switches: is this call for us, and if so, what was asked? rax is the running core afterwards.</summary>
internal static class X64Prologue
{
    public const string HubCall = "hubcall";
    public const string Resume = "resume";
    public const string Entry = "entry";
    private const string Slow = "slow";
    private const string Child = "child";

    /// <summary>Emits the label, the checks and the stores of the four arguments. Uses rax and r10, which a called function may.</summary>
    public static void Emit(X64Emitter x)
    {
        x.Label(HubCall);
        x.LoadData(Rax, TrampolineData.Cell);
        x.Test(Rax);
        x.JumpIf(X64Condition.Equal, Slow);
        x.Move(R10, Rsp);
        x.Subtract(R10, Rax, CoreRecordLayout.StackLow);
        x.Compare(R10, Rax, CoreRecordLayout.StackBytes);
        x.JumpIf(X64Condition.AboveOrEqual, Slow);
        x.Store(Rax, CoreRecordLayout.Self, Rdi);
        x.Store(Rax, CoreRecordLayout.Args, Rsi);
        x.Store(Rax, CoreRecordLayout.NArgs, Rdx);
        x.Store(Rax, CoreRecordLayout.KwNames, Rcx);
    }

    /// <summary>Emits the way out for calls that are not for us.</summary>
    public static void EmitSlowPath(X64Emitter x)
    {
        x.Label(Slow);
        x.JumpData(TrampolineData.Fallback);
    }

    /// <summary>Emits what entry does when its callable has returned: nothing, except in a forked child. Uses rcx.</summary>
    public static void EmitChildCheck(X64Emitter x)
    {
        x.LoadData(Rcx, TrampolineData.Child);
        x.Test(Rcx);
        x.JumpIf(X64Condition.NotEqual, Child);
    }

    /// <summary>Emits the way out for a forked child, behind entry.</summary>
    public static void EmitChildEnd(X64Emitter x)
    {
        x.Label(Child);
        x.Jump(Rcx);
    }
}
