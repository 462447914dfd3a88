using System.Globalization;
using Microsoft.Extensions.Logging;
using UGreen.Py.Native;
using UGreen.Py.Server.Options;

namespace UGreen.Py.Server.Master;

/// <summary>
/// Commands that run beside the server, once for all workers: daemons, which are started again when they end, and entries of the calendar, of which none runs twice at once. Each
/// is a session of its own, so its children are stopped with it. On the master's loop.
/// </summary>
internal sealed class BesideServer(MasterOptions options, TimeProvider time, ILogger logger, Action<Action> post)
{
    private const int Terminate = 15;
    private const int KillSignal = 9;
    private const int ThreadStack = 256 * 1024;

    private readonly Command[] _daemons = [.. options.Daemons.Select(c => new Command("--attach-daemon", c))];
    private readonly (CronEntry Entry, Command Command)[] _crons = [.. options.Crons.Select(e => (e, new Command("--cron", e.Command)))];

    // Sessions of commands that have ended, where children of theirs may run on. Their number belongs to no new process as long as one does.
    private readonly HashSet<int> _left = [];
    private long _minute = Minute(time);
    private bool _isStopping;

    private sealed class Command(string option, string text)
    {
        public string Option { get; } = option;

        public string Text { get; } = text;

        public int Pid { get; set; }

        public int Failures { get; set; }

        public long StartedAt { get; set; }

        public long? RetryAt { get; set; }
    }

    /// <summary>Commands that have not ended, or of which a child has not.</summary>
    public int Running => All.Count(c => c.Pid != 0) + _left.Count(ProcessGroup.IsAlive);

    private IEnumerable<Command> All => _daemons.Concat(_crons.Select(c => c.Command));

    public void Start()
    {
        foreach (var daemon in _daemons) Launch(daemon, restarts: true);
    }

    /// <summary>Called about once a second.</summary>
    public void Tick()
    {
        if (_isStopping) return;
        _left.RemoveWhere(group => !ProcessGroup.IsAlive(group));
        foreach (var daemon in _daemons)
        {
            if (daemon is { Pid: 0, RetryAt: { } at } && time.GetTimestamp() >= at) Launch(daemon, restarts: true);
        }

        // A minute that the clock leaps over has no runs, and none is run twice.
        var minute = Minute(time);
        if (minute == _minute) return;
        _minute = minute;
        var now = time.GetLocalNow().DateTime;
        foreach (var (entry, command) in _crons)
        {
            if (!entry.IsDue(now)) continue;
            if (command.Pid == 0) Launch(command, restarts: false);
            else BesideLog.StillRuns(logger, command.Text, command.Pid);
        }
    }

    /// <summary>SIGTERM to all and their children, or SIGKILL.</summary>
    public void Stop(bool atOnce)
    {
        _isStopping = true;
        foreach (var group in All.Select(c => c.Pid).Where(pid => pid != 0).Concat(_left)) _ = SpawnedProcess.Signal(-group, atOnce ? KillSignal : Terminate);
    }

    private static long Minute(TimeProvider time) => time.GetUtcNow().ToUnixTimeSeconds() / 60;

    private void Launch(Command command, bool restarts)
    {
        command.RetryAt = null;
        command.StartedAt = time.GetTimestamp();
        try
        {
            var pid = command.Pid = SpawnedProcess.Start(new SpawnRequest { Path = "/bin/sh", Arguments = ["sh", "-c", command.Text], NewSession = true });
            BesideLog.Started(logger, command.Option, command.Text, pid);
            new Thread(() =>
            {
                var end = SpawnedProcess.Wait(pid);
                post(() => Ended(command, end, restarts));
            }, ThreadStack) { IsBackground = true, Name = string.Create(CultureInfo.InvariantCulture, $"{command.Option} {pid}") }.Start();
        }
        catch (LinuxException e)
        {
            BesideLog.NotStarted(logger, command.Option, command.Text, e.Message);
            if (restarts) TryLater(command);
        }
    }

    private void Ended(Command command, ExitStatus end, bool restarts)
    {
        var group = command.Pid;
        command.Pid = 0;
        if (ProcessGroup.IsAlive(group)) _left.Add(group);
        if (_isStopping) return;
        if (!restarts)
        {
            if (end is not { IsExited: true, Code: 0 }) BesideLog.CronFailed(logger, command.Text, end.ToString());
            return;
        }

        // What a daemon has left behind would be there twice when it is started again.
        _ = SpawnedProcess.Signal(-group, Terminate);
        if (time.GetElapsedTime(command.StartedAt) > TimeSpan.FromSeconds(30)) command.Failures = 0;
        BesideLog.DaemonEnded(logger, command.Text, end.ToString(), TryLater(command).TotalSeconds);
    }

    private TimeSpan TryLater(Command command)
    {
        var pause = StartBackOff.After(++command.Failures);
        command.RetryAt = time.GetTimestamp() + (long)(pause.TotalSeconds * time.TimestampFrequency);
        return pause;
    }
}
