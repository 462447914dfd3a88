namespace UGreen.Py.Hub;

/// <summary>The house's own bug: a rule that the hub itself must keep is broken. Nothing can be trusted any more, so the worker ends and is replaced.</summary>
public sealed class HubInvariantException(string message) : Exception(message);
