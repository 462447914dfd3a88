namespace UGreen.Py.Server.Master;

/// <summary>How a worker process ended.</summary>
/// <param name="Text">For the log: "exit code 3", "killed by SIGSEGV".</param>
/// <param name="IsClean">Exit code 0.</param>
internal readonly record struct EndStatus(string Text, bool IsClean);
