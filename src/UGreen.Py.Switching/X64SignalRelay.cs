using UGreen.Py.Machine;
using static UGreen.Py.Machine.X64Register;

namespace UGreen.Py.Switching;

/// <summary>Emits the signal handler that stands before Python's. The listing is x64-relay.s; a test compares.</summary>
internal static class X64SignalRelay
{
    public const string Relay = "relay";

    /// <summary>Number of gettid(2) on x86-64.</summary>
    public const int ThreadCall = 186;

    /// <summary>Number of tgkill(2) on x86-64.</summary>
    public const int KillCall = 234;

    /// <summary>Bytes that an eventfd takes.</summary>
    public const int CounterBytes = 8;

    /// <summary>There is one.</summary>
    public const int Yes = 1;

    private const string Hub = "hub";
    private const string Deliver = "deliver";
    private const string Both = "both";

    public static X64Code Build()
    {
        X64Emitter x = new();
        EmitRelay(x);
        EmitWake(x);
        EmitDelivery(x);
        return x.Finish();
    }

    private static void EmitRelay(X64Emitter x)
    {
        x.Label(Relay);
        x.Move(R8, Rdi);
        x.Move(R9, Rsi);
        x.Move(R10, Rdx);
        x.LoadData(Rsi, RelayData.HubThread);
        x.Test(Rsi);
        x.JumpIf(X64Condition.Equal, Deliver);
        x.Set(Rax, ThreadCall);
        x.SystemCall();
        x.CompareData(Rax, RelayData.HubThread);
        x.JumpIf(X64Condition.Equal, Hub);
        x.LoadData(Rdi, RelayData.Process);
        x.Move(Rdx, R8);
        x.Set(Rax, KillCall);
        x.SystemCall();
        x.Return();
    }

    private static void EmitWake(X64Emitter x)
    {
        x.Label(Hub);
        x.Set(Rcx, Yes);
        x.StoreData(RelayData.Arrived, Rcx);
        x.LoadData(Rdi, RelayData.WakeFd);
        x.AddressOfData(Rsi, RelayData.Arrived);
        x.Set(Rdx, CounterBytes);
        x.Set(Rax, X64OverflowHandler.WriteCall);
        x.SystemCall();
    }

    private static void EmitDelivery(X64Emitter x)
    {
        x.Label(Deliver);
        x.Move(Rdi, R8);
        x.Move(Rsi, R9);
        x.Move(Rdx, R10);
        x.Move(Rcx, Rdi);
        for (int doubling = 0; doubling < 3; doubling++) x.Add(Rcx, Rcx);
        x.AddressOfData(R9, RelayData.Chains);
        x.Add(R9, Rcx);
        x.Load(R9, R9, 0);
        x.AddressOfData(R10, RelayData.Handlers);
        x.Add(R10, Rcx);
        x.Load(Rax, R10, 0);
        x.Test(R9);
        x.JumpIf(X64Condition.NotEqual, Both);
        x.Jump(Rax);
        x.Label(Both);
        x.Push(Rdi);
        x.Push(Rsi);
        x.Push(Rdx);
        x.Push(R9);
        x.Push(R8);
        x.Call(Rax);
        x.Pop(R8);
        x.Pop(Rax);
        x.Pop(Rdx);
        x.Pop(Rsi);
        x.Pop(Rdi);
        x.Jump(Rax);
    }
}
