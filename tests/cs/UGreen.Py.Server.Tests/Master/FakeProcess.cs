using UGreen.Py.Server.Master;

namespace UGreen.Py.Server.Tests.Master;

/// <summary>A worker process that exists in a list only.</summary>
internal sealed class FakeProcess(int worker, int pid, List<string> log) : IWorkerProcess
{
    public int Worker { get; } = worker;

    public int Pid { get; } = pid;

    public int Row => Pid - FakeMaster.FirstPid;

    public bool IsGone { get; set; }

    public bool IsDrained { get; private set; }

    public bool IsKilled { get; private set; }

    public void Drain(string reason)
    {
        IsDrained = true;
        log.Add($"drain {Pid}");
    }

    public void Kill()
    {
        IsKilled = true;
        log.Add($"kill {Pid}");
    }
}
