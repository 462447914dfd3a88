using UGreen.Py.CPython;

namespace UGreen.Py.Hub;

/// <summary>
/// One service of the hub for Python code; the counterpart of a system call. Subclasses are registered in <see cref="HubCallTable"/> and appear in Python as built-in
/// functions. A handler runs on the main stack while the calling green thread's Python state is in, so it may use the C API; it must not block.
/// </summary>
/// <param name="name">The function's name in Python.</param>
/// <param name="doc">The function's docstring; the first line is its signature.</param>
/// <param name="arity">How many arguments it takes; who serves the call checks that before the handler sees it.</param>
public abstract class HubCall(string name, string doc, Arity arity)
{
    private readonly Arity _arity = arity;

    /// <summary>The function's name in Python.</summary>
    public string Name { get; } = name;

    /// <summary>The function's docstring; the first line is its signature.</summary>
    public string Doc { get; } = doc;

    /// <summary>Throws the TypeError for a wrong number of arguments, or for keywords that it does not take.</summary>
    internal void CheckArity(in HubCallArguments args)
    {
        if (!_arity.Accepts(args)) throw HubCallException.Type(_arity.Complaint(Name, args));
    }

    /// <summary>Serves a call from a green thread. A <see cref="HubCallException"/> thrown here becomes the Python exception that it names.</summary>
    public abstract CallOutcome Invoke(GreenThread green, in HubCallArguments args);

    /// <summary>
    /// Goes on with a call whose green thread was parked by <see cref="GreenThread.Park"/> with this call as the continuation, when it was woken. The result that was
    /// set before parking stands unless this replaces it.
    /// </summary>
    public virtual CallOutcome Continue(GreenThread green, WakeCause cause) => CallOutcome.Resume;

    /// <summary>
    /// Serves a call from outside any green thread: another OS thread, or the main stack (import time, finalizers). Returns a new reference, or throws.
    /// </summary>
    /// <param name="args">The arguments.</param>
    /// <param name="onHubThread">True on the hub's main stack, where waiting would stop the whole worker once it serves.</param>
    public virtual nint InvokeOutside(in HubCallArguments args, bool onHubThread)
        => throw HubCallException.System("you can call uwsgi api function only from the main callable");
}
