using System.Text;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Hub;
using UGreen.Py.Wsgi.Control;

namespace UGreen.Py.Wsgi.Calls.Server;

/// <summary>Makes what <c>uwsgi.workers()</c> returns: uWSGI's keys, and some of ours.</summary>
internal static class WorkersAnswer
{
    /// <summary>A new tuple of dicts. With the GIL.</summary>
    /// <param name="workers">All of the server.</param>
    /// <param name="self">Number of the one that asks.</param>
    /// <param name="applications">Of the one that asks; the others have loaded the same.</param>
    public static NewRef Make(IReadOnlyList<WorkerFigures> workers, int self, IReadOnlyList<ApplicationTable.Entry> applications)
    {
        var folder = Encoding.UTF8.GetBytes(Environment.CurrentDirectory);
        return Tuple(workers, (worker, _) => Describe(worker, Tuple(applications, (application, number) => Describe(application, number, worker, worker.Id == self, applications.Count, folder))));
    }

    private static NewRef Tuple<T>(IReadOnlyList<T> items, Func<T, int, NewRef> make)
    {
        var tuple = CApi.PyTuple_New(items.Count).OrThrow();
        for (var i = 0; i < items.Count; i++)
        {
            if (CApi.PyTuple_SetItem(tuple.Borrow(), i, make(items[i], i).Detach()) < 0) throw HubCallException.Pending();
        }

        return tuple;
    }

    private static NewRef Describe(WorkerFigures worker, NewRef applications)
    {
        var dict = CApi.PyDict_New().OrThrow();
        Put(dict, "id", worker.Id);
        Put(dict, "pid", worker.Pid);
        Put(dict, "requests", worker.Requests);
        Put(dict, "delta_requests", worker.DeltaRequests);
        // Signals are delivered in the worker and nobody counts them.
        Put(dict, "signals", 0);
        Put(dict, "exceptions", worker.Exceptions);
        Put(dict, "harakiri_count", worker.Harakiris);
        Put(dict, "busy_cores", worker.BusyCores);
        Put(dict, "status", PyText.FromBytes(Encoding.UTF8.GetBytes(worker.Status)));
        Put(dict, "rss", worker.ResidentBytes);
        Put(dict, "vsz", worker.VirtualBytes);
        Put(dict, "running_time", worker.RunningMicroseconds);
        Put(dict, "last_spawn", worker.StartedOn);
        Put(dict, "respawn_count", worker.Respawns);
        Put(dict, "tx", worker.SentBytes);
        Put(dict, "avg_rt", worker.AverageMicroseconds);
        Put(dict, "apps", applications);
        return dict;
    }

    private static NewRef Describe(ApplicationTable.Entry application, int number, WorkerFigures worker, bool isSelf, int count, byte[] folder)
    {
        var dict = CApi.PyDict_New().OrThrow();
        Put(dict, "id", number);
        Put(dict, "modifier1", 0);
        Put(dict, "mountpoint", PyText.FromBytes(application.Mountpoint));
        Put(dict, "startup_time", application.StartupSeconds);
        // There is one in each process, and nothing that its address is good for.
        Put(dict, "interpreter", 0);
        Put(dict, "callable", isSelf ? application.Callable : 0);
        if (count == 1)
        {
            // What a worker has served its only application has served.
            Put(dict, "requests", worker.DeltaRequests);
            Put(dict, "exceptions", isSelf ? Volatile.Read(ref application.Exceptions) : worker.Exceptions);
        }
        else if (isSelf)
        {
            Put(dict, "requests", Volatile.Read(ref application.Requests));
            Put(dict, "exceptions", Volatile.Read(ref application.Exceptions));
        }
        else
        {
            Put(dict, "requests", None());
            Put(dict, "exceptions", None());
        }

        Put(dict, "chdir", PyText.FromBytes(folder));
        return dict;
    }

    private static NewRef None() => new(PyFast.Singleton(PyConstants.None));

    private static void Put(NewRef dict, string key, long value) => Put(dict, key, CApi.PyLong_FromLongLong(value));

    private static void Put(NewRef dict, string key, NewRef value)
    {
        using var item = value.OrThrow();
        if (CApi.PyDict_SetItemString(dict.Borrow(), key, item.Borrow()) < 0) throw HubCallException.Pending();
    }
}
