using UGreen.Py.CPython;
using UGreen.Py.Hub;

namespace UGreen.Py.Wsgi.Calls;

/// <summary><c>uwsgi.wait_fd_read(fd, timeout=0)</c> and <c>wait_fd_write</c>: register only; the wait is the next suspend() or yield. Returns b'' so that it can be yielded.</summary>
internal sealed class WaitFdCall(string name, FdDirection direction, NewRef emptyBytes, OutsideWaits outside) : HubCall(name,
    $"{name}(fd, timeout=0, /)\n--\n\nRegister interest in fd being {(direction == FdDirection.Read ? "readable" : "writable")} for the next suspend() or yield; it does not wait by itself.\n\n"
    + "fd is an int or an object with fileno(). timeout is in seconds (fractions count); 0 or less means none. Returns b''. Raises OSError when fd cannot be waited for.", Arity.Between(1, 2))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var fd = Arg.Fd(Name, args, 0);
        var error = green.Waits.AddFd(fd, direction, Arg.Timeout(Name, args, 1, "timeout"));
        if (error != 0) throw Refused(fd, error);
        green.Result = NewEmpty();
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread)
    {
        outside.AddFd(Arg.Fd(Name, args, 0), direction, Arg.Timeout(Name, args, 1, "timeout"));
        return NewEmpty();
    }

    // The wording that programs written for uWSGI may look for, and the reason that it leaves out.
    private HubCallException Refused(int fd, int error)
        => HubCallException.Os(error, $"unable to fd {fd} to the event queue ({Name}: {Native.Errno.Name(error)})");

    private nint NewEmpty()
    {
        CPython.Api.CApi.Py_IncRef(emptyBytes.Borrow());
        return emptyBytes.Address;
    }
}
