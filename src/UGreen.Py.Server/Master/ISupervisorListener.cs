namespace UGreen.Py.Server.Master;

/// <summary>What the supervisor tells the rest of the master. Called on the master's loop.</summary>
internal interface ISupervisorListener
{
    /// <summary>The first worker serves: the server has started.</summary>
    void Serving();

    /// <summary>A reload has begun.</summary>
    void ReloadBegan();

    /// <summary>It is over.</summary>
    /// <param name="succeeded">False: the old workers go on.</param>
    void ReloadEnded(bool succeeded);

    /// <summary>Another worker is now the one for what runs once per server.</summary>
    /// <param name="row">Its row of the scoreboard; -1: there is none.</param>
    void LeaderIs(int row);

    /// <summary>What the worker in this row is doing, for the log, as "GET /x (core 3, 1.2 s)"; "" for nothing.</summary>
    string RunningIn(int row);

    /// <summary>The state of a worker has changed.</summary>
    void StateOf(WorkerLife life);

    /// <summary>The process has ended, and its row may be used again.</summary>
    void Gone(WorkerLife life);
}
