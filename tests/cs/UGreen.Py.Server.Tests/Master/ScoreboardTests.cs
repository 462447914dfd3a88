using UGreen.Py.Native;
using UGreen.Py.Server.Master;
using Xunit;

namespace UGreen.Py.Server.Tests.Master;

/// <summary>Each test has two mappings of one memory: the master's and a worker's.</summary>
public sealed class ScoreboardTests
{
    private const long Milli = 1_000_000;

    private static readonly ScoreboardLayout Layout = new(Workers: 2, Rows: 6, Cores: 30);

    private readonly Scoreboard _master = Scoreboard.Create(Layout);
    private readonly Scoreboard _worker;

    public ScoreboardTests() => _worker = Scoreboard.Map(_master.Fd, Layout);

    [Fact]
    public void What_a_worker_writes_the_master_reads()
    {
        var (row, board) = Take(worker: 2);
        var now = Scoreboard.Now;
        board.Begin(3, "GET", "/a?b=c", now - (2000 * Milli));
        board.Begin(7, "POST", "/older", now - (5000 * Milli));

        var running = _master.Running(row);

        Assert.Equal([(7, "POST", "/older"), (3, "GET", "/a?b=c")], running.Select(r => (r.Core, r.Method, r.Target)));
        Assert.InRange(running[0].Age.TotalSeconds, 5, 60);
        Assert.Matches(@"^GET /a\?b=c \(core 3, \d+\.\d s\)$", running[1].ToString());
        Assert.Equal(2, _master.Busy(row));
        board.End(7, now, 10, failed: false);
        Assert.Equal(3, Assert.Single(_master.Running(row)).Core);
    }

    [Fact]
    public void The_call_that_a_request_waits_in_is_shown_until_it_is_over()
    {
        var (row, board) = Take(worker: 1);
        board.Begin(3, "GET", "/", Scoreboard.Now);
        board.SetCall(3, "recv on fd 12 (127.0.0.1:3306)");
        Assert.Matches(@"^GET / \(core 3, \d+\.\d s, in recv on fd 12 \(127\.0\.0\.1:3306\)\)$", _master.Running(row)[0].ToString());
        board.SetCall(3, "");
        Assert.DoesNotContain(" in ", _master.Running(row)[0].ToString(), StringComparison.Ordinal);
        board.SetCall(3, "poll");
        board.End(3, Scoreboard.Now, 0, failed: false);
        board.Begin(3, "GET", "/next", Scoreboard.Now);
        Assert.DoesNotContain(" in ", _master.Running(row)[0].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Long_texts_are_cut_and_spill_nowhere()
    {
        var (row, board) = Take(worker: 1);
        board.SetCall(0, new string('C', 1000));
        board.Begin(1, "GET", "/next", Scoreboard.Now);
        board.Begin(0, new string('M', 100), "/" + new string('x', 5000), Scoreboard.Now - (1000 * Milli));

        var running = _master.Running(row);

        Assert.Equal(new string('M', ScoreboardLayout.MethodBytes), running[0].Method);
        Assert.Equal("/" + new string('x', ScoreboardLayout.TargetBytes - 1), running[0].Target);
        Assert.Equal("", running[0].Call);
        board.SetCall(0, new string('C', 1000));
        running = _master.Running(row);
        Assert.Equal(new string('C', ScoreboardLayout.CallBytes), running[0].Call);
        Assert.Equal(("GET", "/next"), (running[1].Method, running[1].Target));
    }

    [Fact]
    public void Who_has_more_connections_than_another_that_serves_is_ahead()
    {
        var (mine, _) = Take(worker: 1);
        var (other, _) = Take(worker: 2);
        var share = new ConnectionShare(_worker, mine);
        share.Opened();
        Assert.False(share.IsAhead); // the other one does not serve yet
        _master.SetState(other, WorkerState.Ready);
        Assert.True(share.IsAhead);
        new ConnectionShare(_master, other).Opened();
        Assert.False(share.IsAhead);
        new ConnectionShare(_master, other).Closed();
        Assert.True(share.IsAhead);
        _master.SetState(other, WorkerState.Draining);
        Assert.False(share.IsAhead);
        share.Closed();
        Assert.Equal(0, _master.Connections(mine));
    }

    [Fact]
    public void Of_many_the_oldest_are_told()
    {
        var (row, board) = Take(worker: 1);
        var now = Scoreboard.Now;
        for (var core = 0; core < 30; core++) board.Begin(core, "GET", "/", now - (core * 1000 * Milli));

        Assert.Equal(Enumerable.Range(10, 20).Reverse(), _master.Running(row).Select(r => r.Core));
    }

    [Fact]
    public void Only_a_request_that_still_runs_is_overdue()
    {
        var (row, board) = Take(worker: 1);
        var now = Scoreboard.Now;
        board.Begin(0, "GET", "/slow", now);
        board.Begin(1, "GET", "/in time", now);
        board.SetKillTime(1, now + (3600 * 1000 * Milli));
        Assert.Null(_master.Overdue(row));

        board.SetKillTime(0, now - 1);
        Assert.Equal("/slow", _master.Overdue(row)?.Target);
        board.End(0, now, 0, failed: false);
        Assert.Null(_master.Overdue(row));
        board.Begin(0, "GET", "/next", now); // without the limit of the one before
        Assert.Null(_master.Overdue(row));
    }

    [Fact]
    public void Figures_of_ended_processes_are_kept_and_a_row_begins_anew()
    {
        var (row, board) = Take(worker: 2);
        board.Begin(0, "GET", "/", 1000);
        board.End(0, 1000 + (6 * Milli), 100, failed: true);
        board.Begin(0, "GET", "/", 1000);
        board.End(0, 1000 + (2 * Milli), 50, failed: false);
        board.Begin(1, "GET", "/lost", 1000);
        _master.Release(row);
        Assert.Equal(2, _master.TotalRequests);

        var (second, next) = Take(worker: 2, respawns: 1);
        Assert.Equal(row, second);
        Assert.Empty(_master.Running(second));
        Assert.Equal(0, _master.Busy(second));
        next.Begin(0, "GET", "/", 1000);
        next.End(0, 1000 + (1 * Milli), 1, failed: false);
        _master.SetState(second, WorkerState.Ready);

        var figures = _worker.Workers();
        Assert.Equal([1, 2], figures.Select(f => f.Id));
        var two = figures[1];
        Assert.Equal((3, 1, 1, 151, 0), (two.Requests, two.DeltaRequests, two.Exceptions, two.SentBytes, two.BusyCores));
        Assert.Equal((9000, 3000, 1, 77), (two.RunningMicroseconds, two.AverageMicroseconds, two.Respawns, two.StartedOn));
        Assert.Equal(("idle", Environment.ProcessId), (two.Status, two.Pid));
        Assert.Equal(("cheap", 0), (figures[0].Status, figures[0].Pid));
        Assert.Equal(3, _worker.TotalRequests);
    }

    [Fact]
    public void The_one_that_serves_is_shown()
    {
        var (old, _) = Take(worker: 1);
        _master.SetState(old, WorkerState.Ready);
        var (next, board) = Take(worker: 1);
        Assert.Equal("idle", _master.Workers()[0].Status);
        _master.SetState(next, WorkerState.Ready);
        _master.SetState(old, WorkerState.Draining);
        board.Begin(0, "GET", "/", 1000);
        Assert.Equal("busy", _master.Workers()[0].Status);
        _master.Release(next);
        Assert.Equal("draining", _master.Workers()[0].Status);
    }

    [Fact]
    public void Rows_run_out_and_come_back()
    {
        var rows = Enumerable.Range(0, 6).Select(_ => _master.Take(1, 0, 0)).ToList();
        Assert.Equal([0, 1, 2, 3, 4, 5], rows);
        Assert.Equal(-1, _master.Take(1, 0, 0));
        _master.Release(3);
        Assert.Equal(3, _master.Take(2, 0, 0));
    }

    [Fact]
    public void All_know_the_leader()
    {
        Assert.Equal(-1, _worker.Leader);
        _master.Leader = 0;
        Assert.Equal(0, _worker.Leader);
        _master.Leader = -1;
        Assert.Equal(-1, _worker.Leader);
    }

    [Fact]
    public void The_limit_of_requests_is_told_once()
    {
        var told = 0;
        var row = _master.Take(1, 0, 0);
        var board = new WorkerBoard(_worker.Memory, Layout, row) { Limit = 2, LimitReached = () => told++ };
        for (var i = 1; i <= 4; i++)
        {
            board.Begin(0, "GET", "/", 0);
            board.End(0, 0, 0, failed: false);
            Assert.Equal(i < 2 ? 0 : 1, told);
        }
    }

    /// <summary>Whatever a worker writes anywhere: the master goes on, knows its rows, and gives back what is its own.</summary>
    [Fact]
    public void Scribble_harms_nobody_but_the_figures()
    {
        var random = new Random(1);
        for (var round = 0; round < 200; round++)
        {
            var rows = Enumerable.Range(0, 6).Select(i => _master.Take(1 + (i % 2), 77, i)).ToList();
            Assert.Equal([0, 1, 2, 3, 4, 5], rows);
            foreach (var row in rows) _master.SetState(row, WorkerState.Ready);
            _master.Leader = 2;
            for (var at = 0; at + 8 <= _worker.Memory.Bytes; at += 8)
                _worker.Memory.Word(at) = random.Next(4) switch { 0 => long.MaxValue, 1 => long.MinValue, 2 => -1, _ => random.NextInt64(long.MinValue, long.MaxValue) };

            Assert.Equal(-1, _master.Take(1, 0, 0));
            foreach (var row in rows)
            {
                Assert.All(_master.Running(row), request => Assert.NotEmpty(request.ToString()));
                _ = _master.Overdue(row);
                Assert.InRange(_master.Busy(row), 0, Layout.Cores);
            }

            _ = _worker.FewestConnections(except: 0);
            Assert.Equal(2, _worker.Workers().Count);
            _ = _worker.TotalRequests;
            _master.Renew();
            Assert.Equal((2, false), (_worker.Leader, _worker.IsStopping));
            Assert.All(_worker.Workers(), figures => Assert.Equal((77, false), (figures.StartedOn, figures.Status == "cheap")));
            foreach (var row in rows) _master.Release(row);
        }
    }

    /// <summary>A page of a file that was cut would be a SIGBUS for all who have mapped it.</summary>
    [Fact]
    public void No_worker_can_cut_it_or_make_it_longer()
    {
        using var theirs = FileDescriptors.Duplicate(_master.Fd);
        Assert.Throws<UnauthorizedAccessException>(() => RandomAccess.SetLength(theirs, 0));
        Assert.Throws<UnauthorizedAccessException>(() => RandomAccess.SetLength(theirs, _master.Memory.Bytes + 4096));
        Assert.Equal(_master.Memory.Bytes, RandomAccess.GetLength(theirs));
    }

    private (int Row, WorkerBoard Board) Take(int worker, int respawns = 0)
    {
        var row = _master.Take(worker, startedOn: 77, respawns);
        _master.SetPid(row, Environment.ProcessId);
        return (row, new WorkerBoard(_worker.Memory, Layout, row));
    }
}
