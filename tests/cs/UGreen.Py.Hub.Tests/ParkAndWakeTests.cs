using UGreen.Py.CPython;
using Xunit;

namespace UGreen.Py.Hub.Tests;

/// <summary>One park, one wake; what the hub itself must never do ends it.</summary>
[Collection(PythonHubCollection.Name)]
public sealed class ParkAndWakeTests(PythonHub python)
{
    [Fact]
    public void A_parked_green_thread_stays_away_until_it_is_woken() => python.Run(hub =>
    {
        hub.Spawn("record(park())");
        hub.Passes(50);
        Assert.Empty(hub.Records);
        hub.Loop.Greens[0].Wake(WakeCause.ClientGone);
        hub.Passes();
        Assert.Equal(["ClientGone"], hub.Records);
    });

    [Fact]
    public void An_old_serial_wakes_nobody() => python.Run(hub =>
    {
        hub.Spawn("record(park())\nrecord(park())");
        hub.Passes();
        var green = hub.Loop.Greens[0];
        var old = hub.Serials[0];
        Assert.True(green.TryWake(old, WakeCause.Completed));
        hub.Passes();

        // It is parked again, in another wait.
        Assert.Equal(GreenStatus.Parked, green.Status);
        Assert.False(green.TryWake(old, WakeCause.Completed));
        hub.Loop.Inbox.Post(green, null, old);
        hub.Passes(3);
        Assert.Equal(["Completed"], hub.Records);
        Assert.True(green.TryWake(hub.Serials[0], WakeCause.Timeout));
        hub.RunToEnd();
        Assert.Equal(["Completed", "Timeout"], hub.Records);
    });

    [Fact]
    public void A_serial_of_the_green_thread_before_does_not_wake_its_successor_on_the_core() => python.Run(hub =>
    {
        hub.Spawn("park()");
        hub.Passes();
        var (green, old) = (hub.Loop.Greens[0], hub.Serials[0]);
        Assert.True(green.TryWake(old, WakeCause.Completed));
        hub.RunToEnd();

        var next = hub.Spawn("park()");
        hub.Passes();
        Assert.Same(green, next.Green);
        Assert.False(green.TryWake(old, WakeCause.Completed));
        Assert.Equal(GreenStatus.Parked, green.Status);
    });

    [Fact]
    public void A_second_TryWake_for_the_same_wait_changes_nothing() => python.Run(hub =>
    {
        hub.Spawn("record(park())");
        hub.Passes();
        var green = hub.Loop.Greens[0];
        Assert.True(green.TryWake(hub.Serials[0], WakeCause.Completed));
        Assert.False(green.TryWake(hub.Serials[0], WakeCause.Timeout));
        hub.RunToEnd();
        Assert.Equal(["Completed"], hub.Records);
    });

    [Fact]
    public void Waking_twice_is_a_bug_of_the_hub() => python.Run(hub =>
    {
        hub.Spawn("park()");
        hub.Passes();
        hub.Loop.Greens[0].Wake(WakeCause.Completed);
        Assert.Throws<HubInvariantException>(() => hub.Loop.Greens[0].Wake(WakeCause.Completed));
    });

    [Fact]
    public void Parking_what_does_not_run_is_a_bug_of_the_hub() => python.Run(hub =>
    {
        hub.Spawn("pass");
        Assert.Throws<HubInvariantException>(() => hub.Loop.Greens[0].Park(null, ParkReason.Operation));
        Assert.Throws<HubInvariantException>(() => hub.Loop.Greens[1].Park(null, ParkReason.Operation));
    });

    [Fact]
    public void A_park_without_a_continuation_resumes_with_the_result_that_was_set() => python.Run(hub =>
    {
        hub.Add(new TestCall("rest", (GreenThread green, in HubCallArguments _) =>
        {
            green.Result = TestHub.Number(42);
            green.Park(null, ParkReason.Operation);
            return CallOutcome.Park;
        }));
        hub.Spawn("record(rest())");
        hub.Passes();
        hub.Loop.Greens[0].Wake(WakeCause.Completed);
        hub.RunToEnd();
        Assert.Equal(["42"], hub.Records);
    });

    [Fact]
    public void A_continuation_may_park_and_yield_again() => python.Run(hub =>
    {
        var rounds = 0;
        TestCall? call = null;
        call = new TestCall(
            "stubborn",
            (GreenThread green, in HubCallArguments _) => Park(green, call!),
            (green, _) =>
            {
                if (++rounds < 3) return Park(green, call!);
                green.Result = TestHub.Number(rounds);
                return CallOutcome.Yield;
            });
        hub.Add(call);
        var script = hub.Spawn("record(stubborn())");
        for (var i = 0; i < 3; i++)
        {
            hub.Passes();
            Assert.Empty(hub.Records);
            hub.Loop.Greens[0].Wake(WakeCause.Completed);
        }

        hub.RunToEnd();
        Assert.Equal(["3"], hub.Records);
        Assert.Equal(4, script.Switches);

        static CallOutcome Park(GreenThread green, HubCall call)
        {
            green.Park(call, ParkReason.Operation);
            return CallOutcome.Park;
        }
    });

    [Fact]
    public void A_wake_from_within_the_handler_is_a_yield() => python.Run(hub =>
    {
        hub.Add(new TestCall("bounce", (GreenThread green, in HubCallArguments _) =>
        {
            green.Result = TestCalls.None();
            green.Park(null, ParkReason.Operation);
            green.Wake(WakeCause.Completed);
            return CallOutcome.Park;
        }));
        hub.Spawn("bounce()\nrecord('back')");
        hub.Spawn("record('other')");
        hub.RunToEnd();
        Assert.Equal(["other", "back"], hub.Records);
    });

    [Fact]
    public void A_handler_that_says_park_and_parked_nobody_is_a_bug_of_the_hub() => python.Run(hub =>
    {
        hub.Add(new TestCall("liar", (GreenThread _, in HubCallArguments _) => CallOutcome.Park));
        hub.Spawn("liar()");
        Assert.Throws<HubInvariantException>(() => hub.Passes());
    });

    [Theory]
    [InlineData(CallOutcome.Resume)]
    [InlineData(CallOutcome.Yield)]
    public void A_handler_that_parks_and_says_something_else_is_a_bug_of_the_hub(CallOutcome says) => python.Run(hub =>
    {
        hub.Add(new TestCall("liar", (GreenThread green, in HubCallArguments _) =>
        {
            green.Result = TestCalls.None();
            green.Park(null, ParkReason.Operation);
            return says;
        }));
        hub.Spawn("liar()");
        Assert.Throws<HubInvariantException>(() => hub.Passes());
    });

    [Fact]
    public void A_handler_that_parks_and_then_fails_is_a_bug_of_the_hub() => python.Run(hub =>
    {
        hub.Add(new TestCall("half", (GreenThread green, in HubCallArguments _) =>
        {
            green.Park(null, ParkReason.Operation);
            throw new InvalidOperationException("too late");
        }));
        hub.Spawn("half()");
        var error = Assert.Throws<HubInvariantException>(() => hub.Passes());
        Assert.Contains("half", error.Message, StringComparison.Ordinal);
        Assert.Contains("too late", error.Message, StringComparison.Ordinal);
    });

    [Fact]
    public void A_bug_of_the_hub_does_not_become_a_Python_exception() => python.Run(hub =>
    {
        hub.Add(new TestCall("broken", (GreenThread _, in HubCallArguments _) => throw new HubInvariantException("of the test")));
        hub.Spawn("try:\n    broken()\nexcept BaseException:\n    record('swallowed')");
        Assert.Throws<HubInvariantException>(() => hub.Passes());
        Assert.Empty(hub.Records);
    });
}
