namespace UGreen.Py.Wsgi.Control;

/// <summary>
/// Where a worker shows what its cores are doing, for those who must know it when the worker itself cannot tell any more. Called on the hub thread, where nothing else is said, for every request:
/// an implementation neither waits nor allocates. Times are nanoseconds of CLOCK_MONOTONIC, which is the same for all processes of a machine.
/// </summary>
public interface IRequestBoard
{
    /// <summary>A request begins on a core.</summary>
    /// <param name="core">From 0.</param>
    /// <param name="method">As the client sent it.</param>
    /// <param name="target">Path and query.</param>
    /// <param name="now">When.</param>
    void Begin(int core, string method, string target, long now);

    /// <summary>By when the request on this core must be over, or the worker is killed; 0: no limit. Reset by <see cref="Begin"/>.</summary>
    void SetKillTime(int core, long killTime);

    /// <summary>Harakiri: the request on this core has been over its limit and is being ended. Once per request.</summary>
    void Harakiri(int core);

    /// <summary>Somebody reads <see cref="SetCall"/>.</summary>
    bool ShowsCalls => false;

    /// <summary>In which call the request on this core waits, if that takes long; "": in none. Also called by another thread while the hub thread is in that call. Reset by <see cref="Begin"/>.</summary>
    void SetCall(int core, string call)
    {
    }

    /// <summary>The request is over and its response complete, or broken off.</summary>
    /// <param name="core">From 0.</param>
    /// <param name="now">When.</param>
    /// <param name="bytes">Of the response's body.</param>
    /// <param name="failed">The application raised.</param>
    void End(int core, long now, long bytes, bool failed);
}
