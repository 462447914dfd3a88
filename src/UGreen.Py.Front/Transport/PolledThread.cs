namespace UGreen.Py.Front.Transport;

/// <summary>An I/O thread and what its connections share.</summary>
internal sealed record PolledThread(IoThread Io, PolledPipes Pipes);
