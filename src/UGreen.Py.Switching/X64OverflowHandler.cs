using UGreen.Py.Machine;
using static UGreen.Py.Machine.X64Register;

namespace UGreen.Py.Switching;

/// <summary>
/// Emits the SIGSEGV handler that names the core whose stack overflowed and lets the kernel end the process; other faults go to the handler that was there before.
/// The listing is x64-overflow.s; a test compares.
/// </summary>
internal static class X64OverflowHandler
{
    public const string Handler = "handler";

    /// <summary>Offset of si_addr in siginfo_t on 64-bit Linux.</summary>
    public const int FaultAddress = 16;

    /// <summary>Number of write(2) on x86-64.</summary>
    public const int WriteCall = 1;

    /// <summary>Number of rt_sigaction(2) on x86-64.</summary>
    public const int ActionCall = 13;

    /// <summary>SIGSEGV.</summary>
    public const int SegvSignal = 11;

    /// <summary>Size of the kernel's signal mask.</summary>
    public const int MaskBytes = 8;

    /// <summary>Where the message goes.</summary>
    public const int StandardError = 2;

    /// <summary>Base of the number in the message.</summary>
    public const int Ten = 10;

    /// <summary>The digit 0 in ASCII.</summary>
    public const sbyte DigitZero = 0x30;

    private const string Spawned = "spawned";
    private const string Number = "number";
    private const string Digit = "digit";
    private const string Main = "main";
    private const string Write = "write";
    private const string Restore = "restore";
    private const string Old = "old";

    public static X64Code Build()
    {
        X64Emitter x = new();
        EmitRequestZone(x);
        EmitSpawnZone(x);
        EmitNumber(x);
        EmitOldHandler(x);
        EmitWrite(x);
        return x.Finish();
    }

    private static void EmitRequestZone(X64Emitter x)
    {
        x.Label(Handler);
        EmitGuardNumber(x, OverflowData.Low, OverflowData.RegionBytes, OverflowData.Stride, Spawned);
        x.CompareData(Rax, OverflowData.Cores);
        x.JumpFarIf(X64Condition.Equal, Main);
        x.AddressOfData(Rsi, OverflowData.GreenText);
        x.LoadData(R8, OverflowData.GreenBytes);
        x.AddressOfData(Rdi, OverflowData.LastDigit);
        x.JumpTo(Number);
    }

    private static void EmitSpawnZone(X64Emitter x)
    {
        x.Label(Spawned);
        EmitGuardNumber(x, OverflowData.SpawnLow, OverflowData.SpawnRegionBytes, OverflowData.SpawnStride, Old);
        x.SubtractData(Rax, OverflowData.MinusCores);
        x.AddressOfData(Rsi, OverflowData.SpawnText);
        x.LoadData(R8, OverflowData.SpawnBytes);
        x.AddressOfData(Rdi, OverflowData.SpawnLastDigit);
    }

    // The number of the guard that was hit in rax; elsewhere when it is not of this zone. The arguments are kept from here on.
    private static void EmitGuardNumber(X64Emitter x, int low, int regionBytes, int stride, string elsewhere)
    {
        x.Load(Rax, Rsi, FaultAddress);
        x.SubtractData(Rax, low);
        x.CompareData(Rax, regionBytes);
        x.JumpFarIf(X64Condition.AboveOrEqual, elsewhere);
        x.Move(R8, Rdi);
        x.Move(R9, Rsi);
        x.Move(R10, Rdx);
        x.Zero(Rdx);
        x.DivideByData(stride);
        x.CompareData(Rdx, OverflowData.GuardBytes);
        x.JumpFarIf(X64Condition.AboveOrEqual, Restore);
    }

    private static void EmitNumber(X64Emitter x)
    {
        x.Label(Number);
        x.Set(Rcx, Ten);
        x.Label(Digit);
        x.Zero(Rdx);
        x.Divide(Rcx);
        x.Add(Rdx, DigitZero);
        x.StoreByte(Rdi, Rdx);
        x.Decrement(Rdi);
        x.Test(Rax);
        x.JumpIf(X64Condition.NotEqual, Digit);
        x.Move(Rdx, R8);
        x.JumpTo(Write);
    }

    private static void EmitOldHandler(X64Emitter x)
    {
        x.Label(Restore);
        x.Move(Rdi, R8);
        x.Move(Rsi, R9);
        x.Move(Rdx, R10);
        x.Label(Old);
        x.JumpData(OverflowData.OldHandler);
    }

    private static void EmitWrite(X64Emitter x)
    {
        x.Label(Main);
        x.AddressOfData(Rsi, OverflowData.MainText);
        x.LoadData(Rdx, OverflowData.MainBytes);
        x.Label(Write);
        x.Set(Rdi, StandardError);
        x.Set(Rax, WriteCall);
        x.SystemCall();
        x.LoadData(Rdi, OverflowData.TellFd);
        x.Set(Rax, WriteCall);
        x.SystemCall();
        x.Set(Rdi, SegvSignal);
        x.AddressOfData(Rsi, OverflowData.DefaultAction);
        x.Zero(Rdx);
        x.Set(Rax, MaskBytes);
        x.Move(R10, Rax);
        x.Set(Rax, ActionCall);
        x.SystemCall();
        x.Return();
    }
}
