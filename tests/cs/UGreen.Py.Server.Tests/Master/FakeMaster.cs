using UGreen.Py.Server.Master;
using Xunit;

namespace UGreen.Py.Server.Tests.Master;

/// <summary>A supervisor whose processes are told what to do. What it does is a list of words: pids count from 100.</summary>
internal sealed class FakeMaster : IWorkerLauncher, ISupervisorListener
{
    public const int FirstPid = 100;

    public static readonly EndStatus Clean = new("exited with code 0", IsClean: true);
    public static readonly EndStatus Crash = new("killed by SIGSEGV", IsClean: false);

    private readonly List<string> _words = [];

    public FakeMaster(int workers, int? initial = null, Func<SupervisorSettings, SupervisorSettings>? change = null)
    {
        var settings = new SupervisorSettings { Workers = workers, Initial = initial ?? workers };
        Supervisor = new Supervisor(change?.Invoke(settings) ?? settings, this, this, Time, Log);
    }

    public SteppedTime Time { get; } = new();

    public LoggedText Log { get; } = new();

    public Supervisor Supervisor { get; }

    public List<FakeProcess> Processes { get; } = [];

    public List<int> RespawnsAtLaunch { get; } = [];

    /// <summary>The system refuses new processes.</summary>
    public bool RefusesToLaunch { get; set; }

    public int Leader { get; private set; } = -1;

    public int Reloads { get; private set; }

    /// <summary>All that happened since the last call.</summary>
    public string Happened
    {
        get
        {
            var all = string.Join(", ", _words);
            _words.Clear();
            return all;
        }
    }

    public IEnumerable<FakeProcess> Live => Processes.Where(p => !p.IsGone);

    IWorkerProcess IWorkerLauncher.Launch(int worker)
    {
        if (RefusesToLaunch)
        {
            _words.Add($"refused {worker}");
            throw new WorkerStartException("no more processes");
        }

        RespawnsAtLaunch.Add(Supervisor.RespawnsOf(worker));
        var process = new FakeProcess(worker, FirstPid + Processes.Count, _words);
        Processes.Add(process);
        _words.Add($"start {worker} as {process.Pid}");
        return process;
    }

    void ISupervisorListener.Serving() => _words.Add("serving");

    void ISupervisorListener.ReloadBegan()
    {
        Reloads++;
        _words.Add("reload");
    }

    void ISupervisorListener.ReloadEnded(bool succeeded)
    {
        Reloads--;
        _words.Add(succeeded ? "reloaded" : "not reloaded");
    }

    void ISupervisorListener.LeaderIs(int row) => Leader = row < 0 ? -1 : row + FirstPid;

    string ISupervisorListener.RunningIn(int row) => "";

    void ISupervisorListener.StateOf(WorkerLife life) => Assert.Contains(life, Supervisor.Lives);

    void ISupervisorListener.Gone(WorkerLife life) => Assert.DoesNotContain(life, Supervisor.Lives);

    public void Exit(int pid, EndStatus? status = null)
    {
        Processes[pid - FirstPid].IsGone = true;
        Supervisor.Exited(pid, status ?? Crash);
    }

    public void Fail(int pid, string message)
    {
        Supervisor.Failed(pid, message);
        Exit(pid, new EndStatus("exited with code 1", IsClean: false));
    }

    public void Tick(double seconds)
    {
        Time.Advance(seconds);
        Supervisor.Tick();
    }

    /// <summary>All serve, for as long as no rule about young workers counts any more.</summary>
    public FakeMaster Started()
    {
        Supervisor.Start();
        for (var i = 0; i < Processes.Count; i++) Supervisor.Ready(Processes[i].Pid);
        Tick(60);
        _words.Clear();
        return this;
    }
}
