using UGreen.Py.CPython;
using UGreen.Py.Hub;
using UGreen.Py.Native;

namespace UGreen.Py.Wsgi.Calls;

/// <summary>
/// <c>uwsgi.is_connected(fd)</c>: True when the socket has no pending error. For the request's own connection it also knows that the client went away; without an argument
/// (ours) it asks about that connection.
/// </summary>
internal sealed class IsConnectedCall() : HubCall("is_connected",
    "is_connected(fd=None, /)\n--\n\nTrue when the socket fd is connected and has no pending error; without fd: whether this request's client is still there.\n\n"
    + "fd is an int or an object with fileno(). Without a request it is False without fd; outside green threads fd must be given (TypeError).", Arity.Between(0, 1))
{
    public override CallOutcome Invoke(GreenThread green, in HubCallArguments args)
    {
        var request = green.Occupant as WsgiRequest;
        request?.WatchClient();
        var asksForClient = args.Count == 0 || args.At(0) == PyConstants.None;
        var fd = asksForClient ? -1 : Arg.Fd(Name, args, 0);
        bool connected;
        // -1 is what connection_fd() says over HTTP/2; elsewhere it can only come from a connect that failed.
        if (asksForClient || fd == request?.Exchange?.SocketFd)
        {
            // The front's word may come before its message in the inbox; whoever has heard "no" here must not be able to write.
            if (request?.Exchange?.ClientGone.IsCancellationRequested == true) request.LostClient();
            connected = request is { Exchange: not null, ClientGone: false };
        }
        else
        {
            connected = SocketStatus.HasNoError(fd);
        }

        green.Result = PyFast.Singleton(connected ? PyConstants.True : PyConstants.False);
        return CallOutcome.Resume;
    }

    public override nint InvokeOutside(in HubCallArguments args, bool onHubThread)
    {
        if (args.Count == 0) throw HubCallException.Type($"{Name}() takes 1 argument (0 given)");
        return PyFast.Singleton(SocketStatus.HasNoError(Arg.Fd(Name, args, 0)) ? PyConstants.True : PyConstants.False);
    }
}
