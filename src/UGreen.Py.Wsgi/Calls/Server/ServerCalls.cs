using Microsoft.Extensions.Logging;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;
using UGreen.Py.Native;
using UGreen.Py.Wsgi.Control;

namespace UGreen.Py.Wsgi.Calls.Server;

/// <summary>All hub calls about the server that this worker is a part of.</summary>
internal static class ServerCalls
{
    public static IEnumerable<HubCall> All(IServerControl control, ApplicationTable applications, HubLoop hub, ILogger log)
    {
        var signals = new SignalInbox(hub, log);
        control.SignalReceived = signals.Bring;
        yield return signals.Call();
        yield return new SignalWorkersCall(control);
        yield return new ServerCall("worker_id", "Number of this worker process, from 1. A worker that replaces another has its number.", () => Number(control.WorkerId));
        yield return new ServerCall("masterpid", "Process id of the master; 0 without one (option --master).", () => Number(control.MasterPid));
        yield return new ServerCall("total_requests", "Requests that all workers together have finished since the server was started.", () => Number(control.TotalRequests));
        yield return new ServerCall("workers",
            "A tuple with a dict of figures for each worker: id, pid, requests, delta_requests (of the present process), exceptions, harakiri_count, busy_cores,\n"
            + "status (bytes: b'idle', b'busy', b'cheap', b'starting', b'draining'), rss, vsz, running_time and avg_rt (microseconds), last_spawn, respawn_count, tx.\n\n"
            + "apps is a tuple with a dict for each application: id, modifier1 (0), mountpoint (bytes), startup_time (seconds), interpreter (0), callable (address in the worker that\n"
            + "asks), requests and exceptions (of the present process; None in another worker that has several applications), chdir (bytes). signals (0) is there for programs that look for it.",
            () => WorkersAnswer.Make(control.Workers(), control.WorkerId, applications.Entries));
        yield return new ServerCall("ready", "True when the application is loaded and requests are served, else None.", () => ServerCall.TrueOrNone(control.IsReady));
        yield return new ServerCall("stop", "Ask for a graceful stop of the whole server: running requests are finished, also this one. Returns True.", () =>
        {
            control.Stop("uwsgi.stop()");
            return ServerCall.TrueOrNone(true);
        });
        yield return new ServerCall("sockets", "Descriptors of the server's listening sockets, a list of int. Any thread may call.", () => List(control.Sockets));
        yield return new SetProcessNameCall();
        yield return new ReloadCall(control, log);
        yield return new SourceChangedCall(control);
        yield return new ServerCall("is_leader", "Whether this worker runs what runs once per server. Any thread may call.", () => ServerCall.TrueOrFalse(control.IsLeader));
        yield return new RouteSignalCall();
        yield return new ServerCall("listening", "File descriptors of the sockets on which this process listens.", Listening);
    }

    private static NewRef Listening()
    {
        var list = CApi.PyList_New(0).OrThrow();
        foreach (var fd in OwnDescriptors.Listening)
        {
            using var number = Number(fd);
            if (CApi.PyList_Append(list.Borrow(), number.Borrow()) < 0) throw PythonException.Fetch();
        }

        return list;
    }

    private static NewRef List(IReadOnlyList<int> numbers)
    {
        var list = CApi.PyList_New(0).OrThrow();
        foreach (var number in numbers)
        {
            using var item = Number(number);
            if (CApi.PyList_Append(list.Borrow(), item.Borrow()) < 0) throw HubCallException.Pending();
        }

        return list;
    }

    private static NewRef Number(long value) => CApi.PyLong_FromLongLong(value).OrThrow();
}
