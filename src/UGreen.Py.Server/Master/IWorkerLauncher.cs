namespace UGreen.Py.Server.Master;

/// <summary>Starts worker processes. What becomes of them is told to <see cref="Supervisor"/>.</summary>
internal interface IWorkerLauncher
{
    /// <summary>Starts one.</summary>
    /// <param name="worker">Its number, from 1.</param>
    /// <exception cref="WorkerStartException">The system refused (processes, memory, descriptors).</exception>
    IWorkerProcess Launch(int worker);
}
