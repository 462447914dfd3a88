using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;
using UGreen.Py.Machine;
using UGreen.Py.Native;

namespace UGreen.Py.Switching;

/// <summary>
/// What becomes of a child of fork(): an ordinary process with one thread, in which Python goes on and the server does not (docs/adr/0037). The CLR does not survive a fork, so no C#
/// runs in the child; what has to be done there is machine code made beforehand, which the C library calls in the child of every fork(), whoever forks.
/// <para>
/// In the child: signal handlers of .NET's and of ours are gone, the descriptors of <see cref="OwnDescriptors"/> are closed, every hub call raises RuntimeError, and control never comes
/// back to the hub: a green thread that ends there ends the process. Python's own part is in <c>ugreen/_fork.py</c>.
/// </para>
/// <para>Not for vfork() and posix_spawn(), whose children only start a program; those who call them block signals meanwhile.</para>
/// </summary>
public static unsafe class ForkedChild
{
    /// <summary>Offset of the name (a C string) in the object that a hub call's trampoline gets as self.</summary>
    public const int NameOffset = X64ForkHandler.Name;

    private static readonly Lock s_gate = new();
    private static readonly X64Code s_code = X64ForkHandler.Build();
    private static readonly CodePage s_page = CodePage.Create(s_code.Bytes, ForkData.Bytes);
    // SAFETY: a word of the data page, which is never unmapped.
    private static readonly nint* s_forked = (nint*)(s_page.Data + ForkData.Forked);
    private static int s_words;
    private static bool s_installed;

    /// <summary>True in a child. Where it is, C# must do nothing but <see cref="End"/>.</summary>
    // SAFETY: a word of our data page, which is never unmapped.
    public static bool IsOne
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => *s_forked != 0;
    }

    /// <summary>In each child the word at <paramref name="address"/> becomes <paramref name="value"/>, before anything else runs there. For good.</summary>
    /// <param name="address">Private memory that stays mapped.</param>
    /// <param name="value">What to write.</param>
    // SAFETY: the offset is inside the data page by the check. The value is written before the address that makes the pair count.
    public static void Set(nint address, nint value)
    {
        lock (s_gate)
        {
            if (s_words == ForkData.MostWords) throw new InvalidOperationException("no room for another word that a forked child changes");
            nint* pair = (nint*)(s_page.Data + ForkData.Words + (s_words++ * X64ForkHandler.PairBytes));
            pair[1] = value;
            Volatile.Write(ref pair[0], address);
        }
    }

    /// <summary>Python's pending calls must come by here.</summary>
    /// <param name="function">Address of a C function int (void*), which is not called in a child.</param>
    /// <returns>Address of the function to give to Python.</returns>
    // SAFETY: a word of the data page.
    public static nint Guard(nint function)
    {
        *(nint*)(s_page.Data + ForkData.Pending) = function;
        return s_page.Address + s_code.Labels[X64ForkHandler.Pending];
    }

    /// <summary>Watches for forks for the rest of the process's life. Called once, by the worker.</summary>
    /// <param name="greenSwitch">Its trampoline raises in children.</param>
    /// <param name="handlers">Signal handlers that a child must not have: .NET's and those of this server.</param>
    /// <param name="runtimeError">The object PyExc_RuntimeError.</param>
    /// <param name="format">Address of PyErr_Format.</param>
    /// <exception cref="LinuxException">No executable page.</exception>
    public static void Install(GreenSwitch greenSwitch, IReadOnlyCollection<nint> handlers, nint runtimeError, nint format)
    {
        ArgumentNullException.ThrowIfNull(greenSwitch);
        ArgumentNullException.ThrowIfNull(handlers);
        lock (s_gate)
        {
            if (s_installed) throw new InvalidOperationException("Forks are watched already.");
            s_installed = true;
        }

        Fill(handlers, runtimeError, format);
        Set((nint)s_forked, 1);
        greenSwitch.ChangeInChildren(s_page.Address + s_code.Labels[X64ForkHandler.Refuse], s_page.Address + s_code.Labels[X64ForkHandler.End]);

        // SAFETY: the prototypes of glibc: int __register_atfork(prepare, parent, child, dso), behind pthread_atfork, and int on_exit(void (*)(int, void*), void*). The code is never unmapped.
        var register = (delegate* unmanaged<nint, nint, nint, nint, int>)DynamicLibrary.GlobalSymbol("__register_atfork");
        if (register(At(X64ForkHandler.Prepare), At(X64ForkHandler.Release), At(X64ForkHandler.Child), 0) != 0) throw new LinuxException("pthread_atfork", Errno.ENOMEM);
        var onExit = (delegate* unmanaged<nint, nint, int>)DynamicLibrary.GlobalSymbol("on_exit");
        if (onExit(s_page.Address + s_code.Labels[X64ForkHandler.Leaving], 0) != 0) throw new LinuxException("on_exit", Errno.ENOMEM);
    }

    /// <summary>Ends a child, with a line to standard error.</summary>
    [DoesNotReturn]
    public static void End()
    {
        // SAFETY: emitted code without arguments.
        ((delegate* unmanaged<void>)(s_page.Address + s_code.Labels[X64ForkHandler.End]))();
        throw new System.Diagnostics.UnreachableException();
    }

    private static void Fill(IReadOnlyCollection<nint> handlers, nint runtimeError, nint format)
    {
        Word(ForkData.Descriptors, OwnDescriptors.Address);
        Word(ForkData.AllSignals, -1);
        Word(ForkData.RuntimeError, runtimeError);
        Word(ForkData.Format, format);
        Word(ForkData.Flush, DynamicLibrary.GlobalSymbol("fflush"));
        int at = ForkData.Handlers;
        foreach (nint handler in handlers.Distinct().Take(ForkData.MostHandlers))
        {
            Word(at, handler);
            Word(at + X64ForkHandler.Second, 1);
            at += X64ForkHandler.PairBytes;
        }

        Word(ForkData.EndBytes, Text(ForkData.EndText, "ugreen-py: a forked child came back to where the server was when it forked; it ends with exit code 1 (a child leaves by os._exit() or sys.exit())\n"));
        _ = Text(ForkData.RefusalText, "%s() needs the server, and this process is a forked child: only the process that it was forked from serves\0");
    }

    private static nint At(string label) => s_page.Address + s_code.Labels[label];

    // SAFETY: the data page is writable and the offset is one of ForkData's, all of them aligned and inside it.
    private static void Word(int offset, nint value) => *(nint*)(s_page.Data + offset) = value;

    // SAFETY: the span is the room that ForkData leaves for a text; Encoding throws when the text does not fit.
    private static int Text(int offset, string text) => Encoding.ASCII.GetBytes(text, new Span<byte>((void*)(s_page.Data + offset), 256));
}
