using UGreen.Py.Machine;
using UGreen.Py.Native;

namespace UGreen.Py.Switching;

/// <summary>
/// Lets Python's signal handlers run on the hub thread, at once, whatever thread the kernel has chosen (docs/adr/0037). Python installs its handler as ever; <see cref="Route"/> then puts
/// a small one before it, which sends the signal on to the hub thread, and wakes the hub when it sleeps.
/// <para>Hub thread; <see cref="Route"/> with the GIL.</para>
/// </summary>
public static unsafe class SignalRelay
{
    private static readonly X64Code s_code = X64SignalRelay.Build();
    private static readonly CodePage s_page = CodePage.Create(s_code.Bytes, RelayData.Bytes);
    // SAFETY: a word of the data page, which is never unmapped.
    private static readonly nint* s_arrived = (nint*)(s_page.Data + RelayData.Arrived);
    private static readonly bool[] s_isForgottenByChildren = new bool[X64ForkHandler.LastSignal + 1];
    private static IReadOnlyList<SignalAction> s_own = [];

    /// <summary>A signal has come to the hub thread since this was last set to false. Python has looked at it only if bytecode has run since.</summary>
    // SAFETY: a word of our data page, which is never unmapped; handlers write it on this thread.
    public static bool HasArrived
    {
        get => Volatile.Read(ref *s_arrived) != 0;
        set => Volatile.Write(ref *s_arrived, value ? 1 : 0);
    }

    /// <summary>The calling thread is the hub's.</summary>
    /// <param name="own">What the process did at each signal before Python started, by number.</param>
    /// <param name="wakeFd">An eventfd that wakes the hub.</param>
    public static void Install(IReadOnlyList<SignalAction> own, int wakeFd)
    {
        s_own = own;
        Word(RelayData.Process, Environment.ProcessId);
        Word(RelayData.WakeFd, wakeFd);
        Word(RelayData.HubThread, (nint)Libc.syscall(X64SignalRelay.ThreadCall, 0, 0));
        ForkedChild.Set(s_page.Data + RelayData.HubThread, 0);
    }

    /// <summary>
    /// Python has set what happens at a signal. A handler is routed. The server's own signals keep what the server does at them, after Python's handler; and what Python wants to ignore,
    /// or to leave to the kernel, is the server's alone again.
    /// </summary>
    // SAFETY: structures of this frame; the tables have a word for each number that was checked.
    public static void Route(int signal)
    {
        if (signal is < 1 or > X64ForkHandler.LastSignal) return;
        SignalAction action;
        if (Libc.sigaction(signal, null, &action) != 0) return;
        nint relay = s_page.Address + s_code.Labels[X64SignalRelay.Relay];
        SignalAction own = signal < s_own.Count ? s_own[signal] : default;
        bool hasOwn = own.Handler is not (Libc.Signal.Default or Libc.Signal.Ignore);

        // What the server does at these is to log that nobody has asked for them, and now somebody has.
        bool isOurs = hasOwn && signal is not (Libc.Signal.Hangup or Libc.Signal.User2 or Libc.Signal.Alarm);
        if (action.Handler is Libc.Signal.Default or Libc.Signal.Ignore)
        {
            if (hasOwn && Libc.sigaction(signal, &own, null) != 0) throw LinuxException.Last("sigaction");
            return;
        }

        if (action.Handler == relay || action.Handler == own.Handler) return;
        Word(RelayData.Handlers + (signal * sizeof(nint)), action.Handler);
        int chain = RelayData.Chains + (signal * sizeof(nint));
        Word(chain, isOurs ? own.Handler : 0);
        if (isOurs && !s_isForgottenByChildren[signal])
        {
            ForkedChild.Set(s_page.Data + chain, 0);
            s_isForgottenByChildren[signal] = true;
        }

        // .NET's handler wants a siginfo, and a Python's takes no notice of one.
        action.Handler = relay;
        action.Flags |= isOurs ? Libc.Signal.FlagSigInfo : 0;
        if (Libc.sigaction(signal, &action, null) != 0) throw LinuxException.Last("sigaction");
    }

    // SAFETY: the data page is writable and the offset is one of RelayData's, all of them aligned and inside it.
    private static void Word(int offset, nint value) => *(nint*)(s_page.Data + offset) = value;
}
