using static UGreen.Py.Machine.X64Register;

namespace UGreen.Py.Machine;

/// <summary>Emits what makes another program run .NET, or lets a program be what it is, and what finds the C library's own functions. The listing is x64-preload.s.</summary>
internal static class X64PreloadStart
{
    private const int BindNow = 2;
    private const string Failed = "failed";
    private const string Main = "main";
    private const string OwnMain = "own_main";
    private const string Resolve = "resolve";
    private const string Lookup = "lookup";

    private static readonly X64Register[] s_kept = [R11, Rdi, Rsi, Rdx, Rcx, R8, R9];

    /// <summary>What looks a function up at its first call.</summary>
    public static string ThunkOf(string function) => function + ".find";

    public static void Emit(X64Emitter x, PreloadTexts texts)
    {
        EmitStart(x);
        EmitMain(x, texts);
        EmitFailure(x, texts);
        foreach (string function in PreloadData.Functions) EmitThunk(x, texts, function);
        EmitResolve(x);
        EmitLookup(x, texts);
    }

    private static void EmitStart(X64Emitter x)
    {
        x.Label(PreloadData.StartMain);
        x.StoreData(PreloadData.OwnMain, Rdi);
        x.AddressOf(Rdi, Main);
        x.JumpData(PreloadData.Real(PreloadData.StartMain));
    }

    private static void EmitMain(X64Emitter x, PreloadTexts texts)
    {
        x.Label(Main);
        x.Push(Rbx);
        x.Push(Rbp);
        x.Push(R13);
        x.Push(R14);
        x.Push(R15);
        x.Move(Rbx, Rdi);
        x.Move(Rbp, Rsi);
        x.Move(R13, Rdx);
        EmitResolveAll(x, texts);
        x.AddressOfData(Rdi, texts.HostFxr);
        x.CompareByteAt(Rdi, 0);
        x.JumpIf(X64Condition.Equal, OwnMain);
        x.Set(Rsi, BindNow);
        x.CallData(PreloadData.DlOpen);
        x.Test(Rax);
        x.JumpFarIf(X64Condition.Equal, Failed);
        x.Move(Rdi, Rax);
        x.AddressOfData(Rsi, texts.Entry);
        x.CallData(PreloadData.DlSym);
        x.Test(Rax);
        x.JumpFarIf(X64Condition.Equal, Failed);
        x.Lea32(Rdi, Rbx, -1);
        x.Move(Rsi, Rbp);
        x.Add(Rsi, 8);
        x.AddressOfData(Rdx, texts.Host);
        x.AddressOfData(Rcx, texts.Root);
        x.AddressOfData(R8, texts.Application);
        x.Call(Rax);
        PopKept(x);
        x.Return();

        x.Label(OwnMain);
        x.Move(Rdi, Rbx);
        x.Move(Rsi, Rbp);
        x.Move(Rdx, R13);
        PopKept(x);
        x.JumpData(PreloadData.OwnMain);
    }

    private static void PopKept(X64Emitter x)
    {
        x.Pop(R15);
        x.Pop(R14);
        x.Pop(R13);
        x.Pop(Rbp);
        x.Pop(Rbx);
    }

    private static void EmitResolveAll(X64Emitter x, PreloadTexts texts)
    {
        x.AddressOfData(R14, texts.Names);
        x.AddressOfData(R15, PreloadData.Reals);
        x.Label("next");
        x.CompareByteAt(R14, 0);
        x.JumpIf(X64Condition.Equal, "resolved");
        x.Move(Rsi, R14);
        x.CallTo(Lookup);
        x.Test(Rax);
        x.JumpIf(X64Condition.Equal, "pass");
        x.Store(R15, 0, Rax);
        x.Label("pass");
        x.Add(R15, 8);
        x.Label("scan");
        x.Add(R14, 1);
        x.CompareByteAt(R14, 0);
        x.JumpIf(X64Condition.NotEqual, "scan");
        x.Add(R14, 1);
        x.JumpTo("next");
        x.Label("resolved");
    }

    // The stack is aligned here: it is jumped to from where it is.
    private static void EmitFailure(X64Emitter x, PreloadTexts texts)
    {
        x.Label(Failed);
        x.CallData(PreloadData.DlError);
        x.Move(Rdx, Rax);
        x.AddressOfData(Rsi, texts.Format);
        x.Set(Rdi, 1);
        x.Zero(Rax);
        x.CallData(PreloadData.Errx);
        x.Trap();
    }

    private static void EmitThunk(X64Emitter x, PreloadTexts texts, string function)
    {
        x.Label(ThunkOf(function));
        x.AddressOfData(Rax, texts.NameOf(function));
        x.AddressOfData(R11, PreloadData.Real(function));
        x.JumpFarTo(Resolve);
    }

    private static void EmitResolve(X64Emitter x)
    {
        x.Label(Resolve);
        foreach (X64Register register in s_kept) x.Push(register);
        x.Move(Rsi, Rax);
        x.CallTo(Lookup);
        for (int i = s_kept.Length - 1; i >= 0; i--) x.Pop(s_kept[i]);
        x.Store(R11, 0, Rax);
        x.Jump(Rax);
    }

    // dlsym() with RTLD_NEXT gives the oldest version of a function before glibc 2.36, where a later one differs.
    private static void EmitLookup(X64Emitter x, PreloadTexts texts)
    {
        x.Label(Lookup);
        x.Push(Rsi);
        x.Or(Rdi, -1);
        x.AddressOfData(Rdx, texts.Version);
        x.CallData(PreloadData.DlVSym);
        x.Pop(Rsi);
        x.Test(Rax);
        x.JumpIf(X64Condition.NotEqual, Lookup + ".found");
        x.Or(Rdi, -1);
        x.JumpData(PreloadData.DlSym);
        x.Label(Lookup + ".found");
        x.Return();
    }
}
