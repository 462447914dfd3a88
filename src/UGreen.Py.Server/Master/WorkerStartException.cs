namespace UGreen.Py.Server.Master;

/// <summary>A worker process could not even be started. The message is one line.</summary>
internal sealed class WorkerStartException(string message, Exception? inner = null) : Exception(message, inner);
