using UGreen.Py.Switching;

namespace UGreen.Py.Hub.Blocking;

/// <summary>
/// A function of the C library that waits, as the hub does it for green threads: the counterpart of <see cref="HubCall"/> for C code. One object serves all calls; what belongs to one
/// call is in its <see cref="BlockingWait"/>. Hub thread, main stack.
/// </summary>
internal abstract class BlockingFunction(string name)
{
    /// <summary>Its name in C.</summary>
    public string Name { get; } = name;

    /// <summary>How often it came here: would have waited.</summary>
    public long Count { get; set; }

    /// <summary>
    /// Answers a call that need not wait: there is something to do, the descriptor does not block, an argument is wrong. The GIL may be anybody's, so nothing of Python's and nothing of the
    /// hub's tables is touched.
    /// </summary>
    public abstract bool TryAtOnce(NativeCall call, out BlockingAnswer answer);

    /// <summary>
    /// The wait begins, the GIL may still be anybody's: what must happen before the hub asks for it. A thread that has the GIL may want what the caller lets go of here.
    /// </summary>
    public virtual void Prepare(BlockingWait wait)
    {
    }

    /// <summary>Begins to wait, or answers after all.</summary>
    public abstract CallOutcome Begin(BlockingWait wait);

    /// <summary>Goes on after the wait has ended, with any cause but an interrupt: answers, or waits again.</summary>
    public abstract CallOutcome Continue(BlockingWait wait, WakeCause cause);

    /// <summary>
    /// Somebody has closed the descriptor that it waits for. A thread would go on waiting for the file, if nobody else has it then for ever; here it hears of it, and never waits for the file that
    /// gets the number next.
    /// </summary>
    public virtual CallOutcome Closed(BlockingWait wait) => wait.Answer(wait.Done > 0 ? new BlockingAnswer(wait.Done) : BlockingAnswer.Error(Native.Errno.EBADF));

    /// <summary>The wait is given up: whatever it holds is let go.</summary>
    public virtual void Abandon(BlockingWait wait)
    {
    }

    /// <summary>An exception may end the wait early. Otherwise it is raised when the call has returned.</summary>
    public virtual bool CanEndSoftly => true;

    /// <summary>
    /// What the call returns when its wait is ended by an exception. That cannot pass through C, so it is raised a moment later, between two lines of Python: the answer must make the
    /// caller return, and do no harm until then.
    /// </summary>
    public abstract BlockingAnswer EndedSoftly(BlockingWait wait);

    /// <summary>What the call returns when a signal has interrupted it.</summary>
    public virtual BlockingAnswer Signalled(BlockingWait wait) => wait.Done > 0 ? new BlockingAnswer(wait.Done) : BlockingAnswer.Error(Native.Errno.EINTR);

    /// <summary>What a green thread in it waits for, for <c>ugreen.dump()</c>.</summary>
    public virtual string Describe(NativeCall call) => Name;
}
