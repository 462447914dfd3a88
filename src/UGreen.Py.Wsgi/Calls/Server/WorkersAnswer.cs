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
    public static NewRef Make(IReadOnlyList<WorkerFigures> workers)
    {
        var tuple = CApi.PyTuple_New(workers.Count).OrThrow();
        for (var i = 0; i < workers.Count; i++)
        {
            if (CApi.PyTuple_SetItem(tuple.Borrow(), i, Describe(workers[i]).Detach()) < 0) throw HubCallException.Pending();
        }

        return tuple;
    }

    private static NewRef Describe(WorkerFigures worker)
    {
        var dict = CApi.PyDict_New().OrThrow();
        Number("id", worker.Id);
        Number("pid", worker.Pid);
        Number("requests", worker.Requests);
        Number("delta_requests", worker.DeltaRequests);
        // Signals are delivered in the worker and nobody counts them.
        Number("signals", 0);
        Number("exceptions", worker.Exceptions);
        Number("harakiri_count", worker.Harakiris);
        Number("busy_cores", worker.BusyCores);
        Put("status", PyText.FromBytes(Encoding.UTF8.GetBytes(worker.Status)));
        Number("rss", worker.ResidentBytes);
        Number("vsz", worker.VirtualBytes);
        Number("running_time", worker.RunningMicroseconds);
        Number("last_spawn", worker.StartedOn);
        Number("respawn_count", worker.Respawns);
        Number("tx", worker.SentBytes);
        Number("avg_rt", worker.AverageMicroseconds);
        Put("apps", CApi.PyTuple_New(0));
        return dict;

        void Number(string key, long value) => Put(key, CApi.PyLong_FromLongLong(value));

        void Put(string key, NewRef value)
        {
            using var item = value.OrThrow();
            if (CApi.PyDict_SetItemString(dict.Borrow(), key, item.Borrow()) < 0) throw HubCallException.Pending();
        }
    }
}
