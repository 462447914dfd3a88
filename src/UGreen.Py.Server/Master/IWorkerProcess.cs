namespace UGreen.Py.Server.Master;

/// <summary>A worker process as the supervisor handles it. Nothing here waits or throws: a process that has just died is told of by its exit.</summary>
internal interface IWorkerProcess
{
    int Pid { get; }

    /// <summary>Its row of the scoreboard.</summary>
    int Row { get; }

    /// <summary>Asks it to take no new requests, to finish the running ones, and to end.</summary>
    /// <param name="reason">For its log.</param>
    void Drain(string reason);

    /// <summary>SIGKILL.</summary>
    void Kill();
}
