using UGreen.Py.Native;
using Xunit;

namespace UGreen.Py.Hub.Tests;

/// <summary>register, register, suspend: what ends the wait, and what is left of it.</summary>
[Collection(PythonHubCollection.Name)]
public sealed class WaitSetTests(PythonHub python)
{
    private const int PassesUntilThePoll = 40;

    [Fact]
    public void With_nothing_registered_it_only_lets_others_run() => python.Run(hub =>
    {
        hub.Spawn("record(suspend())\nrecord('end')");
        hub.Spawn("record('other')");
        hub.RunToEnd();
        Assert.Equal(["other", "None", "end"], hub.Records);
    });

    [Fact]
    public void The_first_fd_that_is_ready_ends_it_and_the_others_are_dropped() => python.Run(hub =>
    {
        using var fds = new TestFds();
        var (read1, write1) = fds.Pipe();
        var (read2, write2) = fds.Pipe();
        hub.Spawn($"read({read1})\nread({read2})\nsleep(5_000_000)\nrecord(suspend())\nrecord(suspend())");
        hub.Spawn("for i in range(200): turn()");
        hub.Passes();
        TestFds.Write(write2);
        Poll(hub);
        Assert.Equal([$"{read2}", "None"], hub.Records);
        Assert.Equal(0, hub.Loop.Timers.Count);

        // The other one was dropped, so its event wakes nobody.
        TestFds.Write(write1);
        hub.RunToEnd();
        Assert.Equal(2, hub.Records.Count);
    });

    [Fact]
    public void An_fd_of_an_earlier_wait_does_not_end_a_later_one() => python.Run(hub =>
    {
        using var fds = new TestFds();
        var (read1, write1) = fds.Pipe();
        var (read2, write2) = fds.Pipe();
        hub.Spawn($"read({read1})\nread({read2})\nrecord(suspend())\nsleep(90_000_000)\nrecord(suspend())");
        hub.Spawn("for i in range(200): turn()");
        hub.Passes();
        TestFds.Write(write2);
        Poll(hub);
        TestFds.Write(write1);
        Poll(hub);
        Assert.Equal([$"{read2}"], hub.Records);
        hub.Clock.Advance(90 * FakeClock.Millisecond);
        hub.RunToEnd();
        Assert.Equal([$"{read2}", "-1"], hub.Records);
    });

    [Fact]
    public void The_deadline_ends_it() => python.Run(hub =>
    {
        using var fds = new TestFds();
        var (read, write) = fds.Pipe();
        hub.Spawn($"read({read}, 3_000_000)\nrecord(suspend())\nrecord(suspend())");
        hub.Passes();
        hub.Clock.Advance(2_999_999);
        hub.Passes();
        Assert.Empty(hub.Records);
        hub.Clock.Advance(1);
        hub.Passes();
        Assert.Equal(["-1"], hub.Records);
        TestFds.Write(write);
        hub.RunToEnd();

        // The flag of the time-out does not survive into the next wait.
        Assert.Equal(["-1", "None"], hub.Records);
    });

    [Theory]
    [InlineData("sleep(9_000_000)\nsleep(2_000_000)")]
    [InlineData("sleep(2_000_000)\nsleep(9_000_000)")]
    [InlineData("sleep(2_000_000)\nsleep(0)\nsleep(-5)")]
    public void Of_several_deadlines_the_earliest_counts(string registers) => python.Run(hub =>
    {
        hub.Spawn(registers + "\nrecord(suspend())");
        hub.Passes();
        Assert.Equal(1, hub.Loop.Timers.Count);
        hub.Clock.Advance(2 * FakeClock.Millisecond);
        hub.RunToEnd();
        Assert.Equal(["-1"], hub.Records);
    });

    [Fact]
    public void A_deadline_beyond_all_time_is_none() => python.Run(hub =>
    {
        hub.Spawn($"sleep({long.MaxValue})\nsuspend()");
        hub.Passes();
        Assert.Equal(long.MaxValue, hub.Loop.Timers.NextDue);
        hub.Clock.Advance(1L << 60);
        hub.Passes();
        Assert.Equal(GreenStatus.Parked, hub.Loop.Greens[0].Status);
    });

    [Fact]
    public void An_event_between_registering_and_suspending_is_kept() => python.Run(hub =>
    {
        using var fds = new TestFds();
        var (read, write) = fds.Pipe();
        hub.Spawn($"read({read})\npark()\nrecord(suspend())\nrecord(suspend())");
        hub.Spawn("for i in range(100): turn()");
        hub.Passes();
        TestFds.Write(write);
        Poll(hub);
        Assert.Equal(GreenStatus.Parked, hub.Loop.Greens[0].Status);
        hub.Loop.Greens[0].Wake(WakeCause.Completed);
        hub.RunToEnd();
        Assert.Equal([$"{read}", "None"], hub.Records);
    });

    [Fact]
    public void A_deadline_that_passes_before_the_suspend_is_kept() => python.Run(hub =>
    {
        hub.Spawn("sleep(1_000_000)\npark()\nrecord(suspend())\nrecord(suspend())");
        hub.Passes();
        hub.Clock.Advance(FakeClock.Millisecond);
        hub.Passes();
        hub.Loop.Greens[0].Wake(WakeCause.Completed);
        hub.RunToEnd();
        Assert.Equal(["-1", "None"], hub.Records);
    });

    [Fact]
    public void A_new_registration_after_a_deadline_that_passed_ends_at_once_too() => python.Run(hub =>
    {
        hub.Spawn("sleep(1_000_000)\npark()\nsleep(50_000_000)\nrecord(suspend())");
        hub.Passes();
        hub.Clock.Advance(FakeClock.Millisecond);
        hub.Passes();
        hub.Loop.Greens[0].Wake(WakeCause.Completed);
        hub.RunToEnd();
        Assert.Equal(["-1"], hub.Records);
        Assert.Equal(0, hub.Loop.Timers.Count);
    });

    [Fact]
    public void A_regular_file_is_ready_at_once() => python.Run(hub =>
    {
        using var fds = new TestFds();
        var fd = fds.Open("/proc/self/exe");
        hub.Spawn($"record(read({fd}))\nrecord(suspend())");
        hub.RunToEnd();
        Assert.Equal(["0", $"{fd}"], hub.Records);
    });

    [Fact]
    public void What_cannot_be_waited_for_is_answered_and_leaves_nothing() => python.Run(hub =>
    {
        hub.Spawn($"record(read({TestFds.High + 50}, 5_000_000))\nrecord(suspend())");
        hub.RunToEnd();
        Assert.Equal([$"{Errno.EBADF}", "None"], hub.Records);
        Assert.Equal(0, hub.Loop.Timers.Count);
    });

    [Fact]
    public void The_same_fd_and_direction_twice_is_one_registration() => python.Run(hub =>
    {
        using var fds = new TestFds();
        var (read, write) = fds.Pipe();
        hub.Spawn($"read({read})\nread({read}, 7_000_000)\nread({read})\nrecord(suspend())\nrecord(suspend())");
        hub.Spawn("for i in range(100): turn()");
        hub.Passes();
        Assert.Equal(1, hub.Loop.Timers.Count);
        TestFds.Write(write);
        Poll(hub);
        Assert.Equal([$"{read}", "None"], hub.Records);
    });

    [Fact]
    public void The_second_registration_of_a_closed_fd_takes_the_first_along() => python.Run(hub =>
    {
        using var fds = new TestFds();
        var (read, _) = fds.Pipe();
        var number = fds.Dup(read, TestFds.High);
        hub.Add(new TestCall("close", (GreenThread green, in CPython.HubCallArguments _) =>
        {
            fds.Close(number);
            green.Result = TestCalls.None();
            return CallOutcome.Resume;
        }));
        hub.Spawn($"record(read({number}))\nclose()\nrecord(read({number}))\nrecord(suspend())");
        hub.RunToEnd();
        Assert.Equal(["0", $"{Errno.EBADF}", "None"], hub.Records);
    });

    [Fact]
    public void Reading_and_writing_of_one_fd_may_be_waited_for_together() => python.Run(hub =>
    {
        using var fds = new TestFds();
        var (a, b) = fds.SocketPair();
        TestFds.Fill(a);
        hub.Spawn($"read({a})\nwrite({a})\nrecord(suspend())\nrecord(suspend())");
        hub.Spawn("for i in range(100): turn()");
        hub.Passes();
        TestFds.Empty(b);
        Poll(hub);
        Assert.Equal([$"{a}", "None"], hub.Records);
    });

    [Fact]
    public void Several_green_threads_may_wait_for_one_fd() => python.Run(hub =>
    {
        using var fds = new TestFds();
        var (read, write) = fds.Pipe();
        for (var i = 0; i < 3; i++) hub.Spawn($"read({read})\nrecord(suspend())");
        hub.Spawn("for i in range(100): turn()");
        hub.Passes();
        TestFds.Write(write);
        Poll(hub);
        Assert.Equal(Enumerable.Repeat($"{read}", 3), hub.Records);
    });

    [Fact]
    public void More_fds_than_the_last_time_and_fewer_again() => python.Run(hub =>
    {
        using var fds = new TestFds();
        var pipes = Enumerable.Range(0, 9).Select(_ => fds.Pipe()).ToArray();
        hub.Define($"fds = [{string.Join(", ", pipes.Select(pipe => pipe.Read))}]");
        hub.Spawn("for n in (1, 9, 3, 5, 2):\n    for fd in fds[:n]: read(fd)\n    record(suspend() == fds[n - 1])");
        foreach (var n in (int[])[1, 9, 3, 5, 2])
        {
            hub.Passes();
            TestFds.Write(pipes[n - 1].Write);
            var busy = hub.Spawn("for i in range(40): turn()");
            Poll(hub);
            Assert.True(busy.HasEnded);

            // Read it empty: the next wait must not see these bytes.
            TestFds.Read(pipes[n - 1].Read);
        }

        Assert.Equal(Enumerable.Repeat("True", 5), hub.Records);
    });

    // A busy hub asks the kernel when the interval is over and the clock was looked at.
    private static void Poll(TestHub hub)
    {
        hub.Clock.Advance(FakeClock.Millisecond);
        hub.Passes(PassesUntilThePoll + 1);
    }
}
