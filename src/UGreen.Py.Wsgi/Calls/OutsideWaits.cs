using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;
using UGreen.Py.Native;

namespace UGreen.Py.Wsgi.Calls;

/// <summary>
/// register-then-suspend for OS threads that are not the hub's, and for import time: a plain blocking poll(2) with the GIL released. Each OS thread has registrations of
/// its own. On the main stack of a serving hub a wait would stop every green thread, so it is refused.
/// </summary>
internal sealed class OutsideWaits(HubLoop hub, IClock clock)
{
    [ThreadStatic]
    private static Registered? s_registered;

    private sealed class Registered
    {
        public List<PollFd> Fds { get; } = [];

        /// <summary>On the hub's clock, in nanoseconds; <see cref="long.MaxValue"/>: none.</summary>
        public long Due { get; set; } = long.MaxValue;

        public int ReadyFd { get; set; } = -1;
    }

    private static Registered Mine => s_registered ??= new Registered();

    /// <summary>The fd that ended this OS thread's last suspend, or -1.</summary>
    public static int ReadyFd => Mine.ReadyFd;

    public void AddFd(int fd, FdDirection direction, long timeoutNanoseconds)
    {
        var isBad = fd < 0 || (FdWait.Poll(fd, 0, 0) & PollFd.Invalid) != 0;
        if (isBad) throw HubCallException.Os(Errno.EBADF, $"unable to fd {fd} to the event queue (EBADF)");
        Mine.Fds.Add(new PollFd { Fd = fd, Events = direction == FdDirection.Read ? PollFd.In : PollFd.Out });
        AddDeadline(timeoutNanoseconds);
    }

    public void AddDeadline(long nanoseconds)
    {
        if (nanoseconds <= 0) return;
        var mine = Mine;
        mine.Due = Math.Min(mine.Due, clock.Now + nanoseconds);
    }

    public void Suspend(string function, bool onHubThread)
    {
        if (onHubThread && hub.IsServing)
            throw HubCallException.Runtime($"{function}() was called on the hub's main stack (a finalizer, or a callback outside any request): it would stop every green thread");
        var mine = Mine;
        var fds = mine.Fds.ToArray();
        var due = mine.Due;
        mine.Fds.Clear();
        mine.Due = long.MaxValue;
        mine.ReadyFd = -1;

        // With nothing registered a suspend lets others run: here that means whoever waits for the GIL.
        var saved = CApi.PyEval_SaveThread();
        try
        {
            if (fds.Length == 0 && due == long.MaxValue) return;
            var left = due == long.MaxValue ? -1 : Math.Max(0, due - clock.Now);
            if (FdWait.Poll(fds, left) > 0) mine.ReadyFd = Array.Find(fds, f => f.Returned != 0).Fd;
        }
        finally
        {
            CApi.PyEval_RestoreThread(saved);
        }
    }
}
