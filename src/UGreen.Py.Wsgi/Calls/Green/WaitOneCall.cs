using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;
using UGreen.Py.Native;

namespace UGreen.Py.Wsgi.Calls.Green;

/// <summary>
/// <c>_ugreen.wait_one(fd, write, timeout=None)</c>: waits for one file descriptor, and leaves alone what was registered for the next suspend(). So a library may wait in
/// the middle of an application that has registered something of its own.
/// </summary>
internal sealed class WaitOneCall(HubLoop hub) : HubCall("wait_one",
    "wait_one(fd, write, timeout=None, /)\n--\n\nWait until fd is readable (or writable, when write is true). timeout is in seconds, None: no limit.\n\n"
    + "Returns False when the time was over. Raises OSError when fd cannot be waited for.", Arity.Between(2, 3))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var (fd, direction, time) = Read(args);
        if (time == 0)
        {
            // Still a wait: the others run, and an interrupt is heard.
            green.Result = PyFast.Singleton(Poll(fd, direction, 0) ? PyConstants.True : PyConstants.False);
            return CallOutcome.Yield;
        }

        var error = green.OneWait.AddFd(fd, direction, Math.Max(0, time));
        if (error != 0) throw HubCallException.Os(error, $"unable to wait for fd {fd} ({Errno.Name(error)})");
        var outcome = green.OneWait.Suspend(this);
        if (outcome == CallOutcome.Yield) Answer(green);
        return outcome;
    }

    public override CallOutcome Continue(GreenThread green, WakeCause cause)
    {
        Answer(green);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread)
    {
        var (fd, direction, time) = Read(args);
        if (onHubThread && hub.IsServing) throw HubCallException.Runtime($"{Name}() was called on the hub's main stack: it would stop every green thread");
        var saved = CApi.PyEval_SaveThread();
        bool ready;
        try
        {
            ready = Poll(fd, direction, time);
        }
        finally
        {
            CApi.PyEval_RestoreThread(saved);
        }

        return PyFast.Singleton(ready ? PyConstants.True : PyConstants.False);
    }

    private (int Fd, FdDirection Direction, long Time) Read(in HubCallArguments args)
    {
        var fd = Arg.Fd(Name, args, 0);
        if (fd < 0) throw HubCallException.Os(Errno.EBADF, $"unable to wait for fd {fd} (EBADF)");
        return (fd, Arg.Flag(args, 1) ? FdDirection.Write : FdDirection.Read, Arg.WaitTime(Name, args, 2));
    }

    private static bool Poll(int fd, FdDirection direction, long time)
    {
        var happened = FdWait.Poll(fd, direction == FdDirection.Read ? PollFd.In : PollFd.Out, time);
        if ((happened & PollFd.Invalid) != 0) throw HubCallException.Os(Errno.EBADF, $"unable to wait for fd {fd} (EBADF)");
        return happened != 0;
    }

    private static void Answer(GreenThread green) => green.Result = PyFast.Singleton(green.OneWait.ReadyFd >= 0 ? PyConstants.True : PyConstants.False);
}
