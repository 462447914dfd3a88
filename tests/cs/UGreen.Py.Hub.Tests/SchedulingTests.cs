using Xunit;

namespace UGreen.Py.Hub.Tests;

/// <summary>Who runs when.</summary>
[Collection(PythonHubCollection.Name)]
public sealed class SchedulingTests(PythonHub python)
{
    private const int PassesUntilTheClockIsRead = 17;

    private const string Forever = "while not stop:\n    turn()";

    [Fact]
    public void A_green_thread_runs_and_ends() => python.Run(hub =>
    {
        var script = hub.Spawn("record('ran')\nreturn 7");
        Assert.Empty(hub.Records);
        hub.Passes();
        Assert.Equal(["ran"], hub.Records);
        Assert.Equal("7", script.Result);
        Assert.Equal(0, script.TimesLeft);
        Assert.Equal(0, script.Switches);
    });

    [Fact]
    public void Each_runs_once_per_pass_in_the_order_of_its_turn() => python.Run(hub =>
    {
        foreach (var name in (string[])["a", "b", "c"]) hub.Spawn($"for i in range(3):\n    record('{name}%d' % i)\n    turn()");
        hub.Passes();
        Assert.Equal(["a0", "b0", "c0"], hub.Records);
        hub.RunToEnd();
        Assert.Equal(["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"], hub.Records);
    });

    [Fact]
    public void What_becomes_ready_during_a_pass_waits_for_the_next() => python.Run(hub =>
    {
        hub.Spawn("record('p %s' % park())");
        hub.Passes();
        hub.Spawn("wake(0)\nrecord('w')\nturn()\nrecord('w')");
        hub.Passes();
        Assert.Equal(["w"], hub.Records);
        hub.Passes();
        Assert.Equal(["w", "p Completed", "w"], hub.Records);
    });

    [Fact]
    public void Yields_and_parks_are_counted_and_the_first_is_told() => python.Run(hub =>
    {
        var script = hub.Spawn("turn()\npark()\nturn()");
        hub.Passes();
        Assert.Equal(1, script.TimesLeft);
        hub.Passes();
        Assert.Equal(GreenStatus.Parked, script.Green!.Status);
        script.Green.Wake(WakeCause.Completed);
        hub.RunToEnd();
        Assert.Equal(1, script.TimesLeft);
        Assert.Equal(3, script.Switches);
    });

    [Fact]
    public void A_green_thread_that_yields_for_ever_holds_up_no_timer() => python.Run(hub =>
    {
        hub.Define("stop = False");
        hub.Spawn(Forever);
        hub.Spawn("sleep(5_000_000)\nrecord(suspend())");
        hub.Passes(100);
        Assert.Empty(hub.Records);
        hub.Clock.Advance(5 * FakeClock.Millisecond);
        hub.Passes(PassesUntilTheClockIsRead);
        Assert.Equal(["-1"], hub.Records);
    });

    [Fact]
    public void A_green_thread_that_yields_for_ever_holds_up_no_fd() => python.Run(hub =>
    {
        using var fds = new TestFds();
        var (read, write) = fds.Pipe();
        hub.Define("stop = False");
        hub.Spawn(Forever);
        hub.Spawn($"read({read})\nrecord(suspend())");
        hub.Passes(100);
        TestFds.Write(write);
        hub.Clock.Advance(FakeClock.Millisecond);
        hub.Passes(PassesUntilTheClockIsRead);
        Assert.Equal([$"{read}"], hub.Records);
    });

    [Fact]
    public void The_kernel_is_not_asked_again_before_the_interval_is_over() => python.Run(hub =>
    {
        using var fds = new TestFds();
        var (read, write) = fds.Pipe();
        hub.Define("stop = False");
        hub.Spawn(Forever);
        hub.Spawn($"read({read})\nrecord(suspend())");

        // The first look at the clock polls, whatever time it is.
        hub.Passes(PassesUntilTheClockIsRead);
        TestFds.Write(write);
        hub.Clock.Advance(199_999);
        hub.Passes(100);
        Assert.Empty(hub.Records);
        hub.Clock.Advance(1);
        hub.Passes(PassesUntilTheClockIsRead);
        Assert.Equal([$"{read}"], hub.Records);
    });

    [Fact]
    public void A_green_thread_that_yields_for_ever_holds_up_no_message() => python.Run(hub =>
    {
        hub.Define("stop = False");
        hub.Spawn(Forever);
        hub.Spawn("record(park())");
        hub.Passes();
        hub.Loop.Inbox.Post(hub.Loop.Greens[1], null, hub.Serials[1]);
        hub.Passes();
        Assert.Equal(["Completed"], hub.Records);
    });

    [Fact]
    public void A_hub_with_nothing_to_do_sleeps_until_the_fd_is_ready_and_ends_when_told() => python.Run(hub =>
    {
        using var fds = new TestFds();
        var (read, write) = fds.Pipe();
        var script = hub.Spawn($"record('waits')\nread({read})\nrecord(suspend())");
        hub.Loop.CoreFreed = hub.Loop.Stop;

        // Nothing else can wake the hub, and the clock stands still: only the bytes from the other thread do.
        var writer = new Thread(() => TestFds.Write(write));
        writer.Start();
        hub.Loop.Run();
        writer.Join();
        Assert.True(script.HasEnded);
        Assert.Equal(["waits", $"{read}"], hub.Records);
        Assert.False(hub.Loop.IsServing);
    });

    [Fact]
    public void A_sleeping_hub_is_woken_by_a_message() => python.Run(hub =>
    {
        hub.Spawn("record(park())");
        hub.Loop.CoreFreed = hub.Loop.Stop;
        hub.Passes();
        var green = hub.Loop.Greens[0];
        var serial = hub.Serials[0];
        var poster = new Thread(() => hub.Loop.Inbox.Post(green, null, serial));
        poster.Start();
        hub.Loop.Run();
        poster.Join();
        Assert.Equal(["Completed"], hub.Records);
    });

    [Fact]
    public void While_the_hub_sleeps_other_threads_have_the_GIL() => python.Run(hub =>
    {
        using var fds = new TestFds();
        var (read, write) = fds.Pipe();
        hub.Loop.CoreFreed = hub.Loop.Stop;

        // The thread can only get to its write when the hub has let go of the GIL.
        hub.Spawn($"import os, threading\nthread = threading.Thread(target=lambda: os.write({write}, b'x'))\nthread.start()\nread({read})\nrecord(suspend())\nthread.join()");
        hub.Loop.Run();
        Assert.Equal([$"{read}"], hub.Records);
    });

    [Fact]
    public void A_hub_that_was_stopped_before_it_ran_runs_one_pass_at_most() => python.Run(hub =>
    {
        hub.Define("stop = False");
        hub.Spawn(Forever);
        hub.Loop.Stop();
        hub.Loop.Run();
        Assert.InRange(hub.Loop.Resumes, 0, 1);
    });

    [Fact]
    public void IsServing_is_true_while_the_loop_runs() => python.Run(hub =>
    {
        var seen = new List<bool>();
        hub.Loop.CoreFreed = () =>
        {
            seen.Add(hub.Loop.IsServing);
            hub.Loop.Stop();
        };
        hub.Spawn("pass");
        Assert.False(hub.Loop.IsServing);
        hub.Loop.Run();
        Assert.Equal([true], seen);
        Assert.False(hub.Loop.IsServing);
    });

    [Fact]
    public void Only_the_hub_thread_may_spawn() => python.Run(hub =>
    {
        Exception? error = null;
        var thread = new Thread(() => error = Record.Exception(() => hub.Loop.TrySpawn(null!, default)));
        thread.Start();
        thread.Join();
        Assert.IsType<HubInvariantException>(error);
    });
}
