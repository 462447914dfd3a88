using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;

namespace UGreen.Py.Hub.Tests;

/// <summary>The hub calls that every test script can use.</summary>
internal static class TestCalls
{
    public static TestCall[] All(TestHub hub) =>
    [
        // record(value): keeps str(value) for the test.
        Answering("record", (green, args) => hub.Records.Add(TestHub.Text(args.At(0)))),

        // advance(ns): time passes.
        Answering("advance", (green, args) => hub.Clock.Advance(TestHub.Number(args.At(0)))),

        // turn(): lets the others run.
        new("turn", (GreenThread green, in HubCallArguments _) =>
        {
            green.Result = None();
            return CallOutcome.Yield;
        }),

        // park(): waits until the test (or another script) wakes it. Answers the cause.
        Parking(hub),

        // wake(core): wakes a parked core; answers whether it was the wait that it had last parked for.
        new("wake", (GreenThread green, in HubCallArguments args) =>
        {
            var number = (int)TestHub.Number(args.At(0));
            var woke = hub.Loop.Greens[number].TryWake(hub.Serials[number], WakeCause.Completed);
            green.Result = PyFast.Singleton(woke ? PyConstants.True : PyConstants.False);
            return CallOutcome.Resume;
        }),

        // core(): its number.
        new("core", (GreenThread green, in HubCallArguments _) =>
        {
            green.Result = TestHub.Number(green.Number);
            return CallOutcome.Resume;
        }),

        // read(fd, ns=0), write(fd, ns=0): register; answer the errno or 0.
        Registering("read", FdDirection.Read),
        Registering("write", FdDirection.Write),

        // sleep(ns): registers a deadline.
        Answering("sleep", (green, args) => green.Waits.AddDeadline(TestHub.Number(args.At(0)))),

        // suspend(): waits for what was registered; answers -1 after a time-out, else the fd, or None when neither ended it.
        new("suspend", (GreenThread green, in HubCallArguments _) => green.Waits.Suspend(hub.Loop.Calls.All.Single(call => call.Name == "_woken")) is CallOutcome.Park ? CallOutcome.Park : Said(green)),
        new("_woken", (GreenThread green, in HubCallArguments _) => CallOutcome.Resume, (green, _) =>
        {
            Tell(green);
            return CallOutcome.Resume;
        }),
    ];

    public static nint None() => PyFast.Singleton(PyConstants.None);

    private static CallOutcome Said(GreenThread green)
    {
        Tell(green);
        return CallOutcome.Yield;
    }

    private static void Tell(GreenThread green)
        => green.Result = green.Waits.TimedOut ? TestHub.Number(-1) : green.Waits.ReadyFd >= 0 ? TestHub.Number(green.Waits.ReadyFd) : None();

    private static TestCall Parking(TestHub hub)
    {
        TestCall? self = null;
        return self = new TestCall(
            "park",
            (GreenThread green, in HubCallArguments _) =>
            {
                hub.Serials[green.Number] = green.Park(self, ParkReason.Operation);
                return CallOutcome.Park;
            },
            (green, cause) =>
            {
                green.Result = PyText.FromText(cause.ToString()).OrThrow().Detach();
                return CallOutcome.Resume;
            });
    }

    private static TestCall Registering(string name, FdDirection direction) => new(name, (GreenThread green, in HubCallArguments args) =>
    {
        var error = green.Waits.AddFd((int)TestHub.Number(args.At(0)), direction, args.Count > 1 ? TestHub.Number(args.At(1)) : 0);
        green.Result = TestHub.Number(error);
        return CallOutcome.Resume;
    });

    private static TestCall Answering(string name, Action<GreenThread, HubCallArguments> action) => new(name, (GreenThread green, in HubCallArguments args) =>
    {
        action(green, args);
        green.Result = None();
        return CallOutcome.Resume;
    });
}
