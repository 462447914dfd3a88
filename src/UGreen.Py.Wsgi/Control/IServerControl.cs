namespace UGreen.Py.Wsgi.Control;

/// <summary>What a worker knows of the server that it is a part of, and what it can ask of its master. Any thread; nothing here waits.</summary>
public interface IServerControl
{
    /// <summary>Number of this worker, from 1. A worker that replaces another has its number.</summary>
    int WorkerId { get; }

    /// <summary>How many workers the server has at most: <c>--processes</c>.</summary>
    int WorkerCount { get; }

    /// <summary>Process id of the master; 0: there is none.</summary>
    int MasterPid { get; }

    /// <summary>The server has replaced its workers before, and this one is of those.</summary>
    bool IsReloaded { get; }

    /// <summary>Descriptors of the listening sockets, in the order of the addresses; empty while they are not open yet.</summary>
    IReadOnlyList<int> Sockets { get; }

    /// <summary>The application is loaded and requests are served.</summary>
    bool IsReady { get; }

    /// <summary>This worker is the one that runs what runs once per server: timers, cron entries, file monitors of the uwsgi module. Changes during its life.</summary>
    bool IsLeader { get; }

    /// <summary>A file that every worker of the server can open, for locks between them (ranges of bytes; it has no content). Null: there is only this process.</summary>
    string? LockFile { get; }

    /// <summary>Asks the master to replace all workers, one after the other.</summary>
    /// <param name="reason">For the log.</param>
    /// <returns>False: there is no master, or it has gone.</returns>
    bool Reload(string reason);

    /// <summary>Tells the master that a source file has changed since it was loaded (<c>--py-autoreload</c>), which is a reason to replace all workers.</summary>
    /// <param name="file">Its path, for the log.</param>
    /// <returns>False: there is no master, or it has gone.</returns>
    bool SourceChanged(string file);

    /// <summary>Asks for a graceful stop of the server.</summary>
    /// <param name="reason">For the log.</param>
    void Stop(string reason);

    /// <summary>Asks the master to hand a signal of the uwsgi module to other workers; they get it by <see cref="SignalReceived"/>.</summary>
    /// <param name="number">0 to 255.</param>
    /// <param name="worker">Number of the worker; 0: to all others that are ready.</param>
    /// <returns>False: there is no master, or it has gone.</returns>
    bool Signal(int number, int worker);

    /// <summary>Called on any thread with the number of a signal that another worker sent here. Set once, before the application is loaded.</summary>
    Action<int>? SignalReceived { get; set; }

    /// <summary>Figures of all workers, in the order of their numbers.</summary>
    IReadOnlyList<WorkerFigures> Workers();

    /// <summary>Requests that all workers together have finished, those of replaced processes included.</summary>
    long TotalRequests { get; }
}
