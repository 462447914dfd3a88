using UGreen.Py.CPython;
using Xunit;

namespace UGreen.Py.Hub.Tests;

/// <summary>A release is never lost and never counted twice.</summary>
[Collection(PythonHubCollection.Name)]
public sealed class PermitWaitTests(PythonHub python)
{
    [Fact]
    public void A_wait_lasts_until_the_release() => Run(hub =>
    {
        hub.Spawn("record(wait(-1))");
        hub.Passes(50);
        Assert.Empty(hub.Records);
        hub.Loop.Greens[0].Permit.Release();
        hub.RunToEnd();
        Assert.Equal(["True"], hub.Records);
    });

    [Fact]
    public void A_release_before_the_wait_is_kept() => Run(hub =>
    {
        hub.Spawn("turn()\nrecord(wait(-1))");
        hub.Passes();
        hub.Loop.Greens[0].Permit.Release();
        hub.RunToEnd();
        Assert.Equal(["True"], hub.Records);
    });

    [Fact]
    public void Several_releases_before_the_wait_are_one() => Run(hub =>
    {
        hub.Spawn("turn()\nrecord(wait(-1))\nrecord(wait(-1))");
        hub.Passes();
        hub.Loop.Greens[0].Permit.Release();
        hub.Loop.Greens[0].Permit.Release();
        hub.Passes(5);
        Assert.Equal(["True"], hub.Records);
        hub.Loop.Greens[0].Permit.Release();
        hub.RunToEnd();
        Assert.Equal(["True", "True"], hub.Records);
    });

    [Fact]
    public void A_wait_ends_with_its_time() => Run(hub =>
    {
        hub.Spawn("record(wait(1000))\nrecord(wait(-1))");
        hub.Passes(3);
        hub.Clock.Advance(999);
        hub.Passes(3);
        Assert.Empty(hub.Records);
        hub.Clock.Advance(1);
        hub.Passes(3);
        Assert.Equal(["False"], hub.Records);

        // The second wait has no deadline left over from the first.
        hub.Clock.Advance(long.MaxValue / 4);
        hub.Passes(3);
        Assert.Equal(["False"], hub.Records);
        hub.Loop.Greens[0].Permit.Release();
        hub.RunToEnd();
    });

    [Fact]
    public void A_release_disarms_the_deadline() => Run(hub =>
    {
        hub.Spawn("record(wait(1000))\nrecord(wait(-1))");
        hub.Passes();
        hub.Loop.Greens[0].Permit.Release();
        Assert.Equal(0, hub.Loop.Timers.Count);
        hub.Passes();
        hub.Clock.Advance(5000);
        hub.Passes(3);
        Assert.Equal(["True"], hub.Records);
        hub.Loop.Greens[0].Permit.Release();
        hub.RunToEnd();
    });

    [Fact]
    public void A_time_of_zero_lets_others_run_and_does_not_park() => Run(hub =>
    {
        hub.Spawn("record(wait(0))\nrecord('after')");
        hub.Spawn("record('other')");
        hub.RunToEnd();
        Assert.Equal(["other", "False", "after"], hub.Records);
    });

    [Fact]
    public void A_permit_does_not_outlive_its_green_thread() => Run(hub =>
    {
        hub.Spawn("turn()");
        hub.Passes();
        hub.Loop.Greens[0].Permit.Release();
        hub.RunToEnd();
        hub.Spawn("record(wait(-1))");
        hub.Passes(5);
        Assert.Empty(hub.Records);
        hub.Loop.Greens[0].Permit.Release();
        hub.RunToEnd();
    });

    [Fact]
    public void What_suspend_waits_for_is_not_disturbed() => Run(hub =>
    {
        hub.Spawn("sleep(1000)\nrecord(wait(500))\nrecord(suspend())");
        hub.Passes();
        hub.Clock.Advance(500);
        hub.Passes(3);
        Assert.Equal(["False"], hub.Records);
        hub.Clock.Advance(499);
        hub.Passes(3);
        Assert.Single(hub.Records);
        hub.Clock.Advance(1);
        hub.RunToEnd();
        Assert.Equal(["False", "-1"], hub.Records);
    });

    [Fact]
    public void A_green_thread_is_found_by_its_id_while_it_lives() => Run(hub =>
    {
        hub.Spawn("wait(-1)");
        hub.Passes();
        var green = hub.Loop.Greens[0];
        var id = green.Id;
        Assert.Same(green, hub.Loop.Find(id));
        Assert.Null(hub.Loop.Find(id + PythonHub.Cores));
        Assert.Null(hub.Loop.Find(-1));
        Assert.Null(hub.Loop.Find(0));
        green.Permit.Release();
        hub.RunToEnd();
        Assert.Null(hub.Loop.Find(id));
        hub.Spawn("wait(-1)");
        Assert.NotEqual(id, green.Id);
        Assert.Null(hub.Loop.Find(id));
        hub.Passes();
        green.Permit.Release();
        hub.RunToEnd();
    });

    private void Run(Action<TestHub> test) => python.Run(hub =>
    {
        hub.Add(new TestCall("wait", (GreenThread green, in HubCallArguments args) => green.Permit.Wait(TestHub.Number(args.At(0)))));
        test(hub);
    });
}
