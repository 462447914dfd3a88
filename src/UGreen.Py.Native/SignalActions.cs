namespace UGreen.Py.Native;

/// <summary>What this process does at signals.</summary>
public static unsafe class SignalActions
{
    private const int Last = 64;

    /// <summary>All of it, by the signal's number from 1; what cannot be asked (glibc's own two) is as if it were the default.</summary>
    public static IReadOnlyList<SignalAction> Now()
    {
        SignalAction[] actions = new SignalAction[Last + 1];
        for (int signal = 1; signal <= Last; signal++)
        {
            // SAFETY: a struct of the right size and layout; on failure it is not used.
            SignalAction action;
            if (Libc.sigaction(signal, null, &action) == 0) actions[signal] = action;
        }

        return actions;
    }

    /// <summary>The functions among them.</summary>
    public static IReadOnlyCollection<nint> Handlers(IReadOnlyList<SignalAction> actions)
        => [.. from action in actions where action.Handler is not (Libc.Signal.Default or Libc.Signal.Ignore) select action.Handler];
}
