using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using Xunit;

namespace UGreen.Py.Hub.Tests;

/// <summary>An exception from outside is raised where the green thread waits, once, and leaves nothing behind.</summary>
[Collection(PythonHubCollection.Name)]
public sealed class InterruptTests(PythonHub python)
{
    [Theory]
    [InlineData("wait(-1)")]
    [InlineData("wait(1000000)")]
    [InlineData("sleep(1000)\n    suspend()")]
    [InlineData("sleep(1000)\n    plain_suspend()")]
    public void It_is_raised_in_the_wait(string wait) => Run(hub =>
    {
        hub.Spawn($"try:\n    {wait}\nexcept KeyError as e:\n    record(e.args[0])\nrecord(wait(7))");
        hub.Passes();
        Assert.True(Interrupt(hub, "KeyError('now')"));
        Assert.Equal(0, hub.Loop.Timers.Count);
        hub.Passes();
        Assert.Equal(["now"], hub.Records);
        hub.Clock.Advance(7);
        hub.RunToEnd();
        Assert.Equal(["now", "False"], hub.Records);
    });

    [Fact]
    public void One_that_ends_is_not_interrupted_by_what_it_leaves_behind() => Run(hub =>
    {
        var told = new List<bool>();
        hub.Add(new TestCall("last", (GreenThread _, in HubCallArguments _) => CallOutcome.Resume, outside: (in HubCallArguments _, bool _) =>
        {
            told.Add(Interrupt(hub, "KeyError('for one that has ended')"));
            return TestCalls.None();
        }));
        hub.Define("import contextvars\nvar = contextvars.ContextVar('var')\nclass Last:\n    def __del__(self): last()");
        hub.Spawn("var.set(Last())\nturn()");
        hub.RunToEnd();
        Assert.Equal([false], told);
        Assert.Equal(0, hub.Loop.Interrupts);

        // The next on that core.
        hub.Spawn("turn()\nrecord('undisturbed')");
        hub.RunToEnd();
        Assert.Equal(["undisturbed"], hub.Records);
    });

    [Fact]
    public void The_frame_of_one_that_waits_is_seen_without_a_collection() => Run(hub =>
    {
        var looking = false;
        var collections = new List<bool>();
        hub.Add(new TestCall("note", (GreenThread _, in HubCallArguments _) => CallOutcome.Resume, outside: (in HubCallArguments _, bool _) =>
        {
            collections.Add(looking);
            return TestCalls.None();
        }));
        hub.Define("import gc\ndef deep(n):\n    if n: return deep(n - 1)\n    turn()");
        hub.Spawn("deep(50)");
        hub.Passes();
        hub.Define("def noted(*ignored): note()\ngc.callbacks.append(noted)\ngc.set_threshold(1)");
        looking = true;
        using var frame = hub.Loop.FrameOf(hub.Loop.Greens[0]);
        looking = false;
        Assert.Contains("deep", TestHub.Text(frame.Borrow()), StringComparison.Ordinal);
        hub.Define("gc.callbacks.remove(noted)\ngc.set_threshold(700)");
        Assert.NotEmpty(collections);
        Assert.DoesNotContain(true, collections);
        Assert.Equal("True", hub.Evaluate("gc.isenabled()"));
        hub.RunToEnd();
        Assert.True(hub.Loop.FrameOf(hub.Loop.Greens[0]).IsNull);
    });

    [Fact]
    public void After_a_yield_it_is_raised_there() => Run(hub =>
    {
        hub.Spawn("try:\n    turn()\nexcept KeyError:\n    record('raised')");
        hub.Passes();
        Assert.True(Interrupt(hub, "KeyError()"));
        hub.RunToEnd();
        Assert.Equal(["raised"], hub.Records);
    });

    [Fact]
    public void One_that_was_woken_already_hears_it_instead() => Run(hub =>
    {
        hub.Spawn("try:\n    wait(-1)\nexcept KeyError:\n    record('raised')");
        hub.Passes();
        hub.Loop.Greens[0].Permit.Release();
        Assert.True(Interrupt(hub, "KeyError()"));
        hub.RunToEnd();
        Assert.Equal(["raised"], hub.Records);
    });

    [Fact]
    public void Before_the_first_instruction_it_waits_for_the_first_wait() => Run(hub =>
    {
        hub.Spawn("record('begun')\ntry:\n    turn()\nexcept KeyError:\n    record('raised')");
        Assert.True(Interrupt(hub, "KeyError()"));
        hub.RunToEnd();
        Assert.Equal(["begun", "raised"], hub.Records);
    });

    [Fact]
    public void The_first_of_two_counts() => Run(hub =>
    {
        hub.Spawn("try:\n    wait(-1)\nexcept LookupError as e:\n    record(type(e).__name__)\nturn()\nturn()");
        hub.Passes();
        Assert.True(Interrupt(hub, "KeyError()"));
        Assert.False(Interrupt(hub, "IndexError()"));
        hub.RunToEnd();
        Assert.Equal(["KeyError"], hub.Records);
    });

    [Fact]
    public void An_operation_is_asked_to_end_and_says_how() => Run(hub =>
    {
        TestCall? call = null;
        call = new TestCall(
            "operation",
            (GreenThread green, in HubCallArguments _) =>
            {
                green.Park(call, ParkReason.Operation);
                return CallOutcome.Park;
            },
            (green, cause) =>
            {
                hub.Records.Add(cause.ToString());
                throw green.TakeInterrupt()!;
            });
        hub.Add(call);
        var occupant = new Cancellable(hub.Compile("try:\n    operation()\nexcept KeyError:\n    record('raised')"));
        Assert.True(hub.Loop.TrySpawn(occupant, occupant.Callable));
        hub.Passes();
        Assert.True(Interrupt(hub, "KeyError()"));
        Assert.Equal(1, occupant.Cancelled);

        // Nothing is forced: the operation's own end wakes it.
        hub.Passes(3);
        Assert.Empty(hub.Records);
        hub.Loop.Greens[0].Wake(WakeCause.Completed);
        hub.Passes(3);
        Assert.Equal(["Completed", "raised"], hub.Records);
    });

    [Fact]
    public void An_operation_that_was_done_anyway_keeps_its_result_and_the_next_wait_raises() => Run(hub =>
    {
        hub.Spawn("record(park())\ntry:\n    turn()\nexcept KeyError:\n    record('raised')");
        hub.Passes();
        Assert.True(Interrupt(hub, "KeyError()"));
        hub.Loop.Greens[0].Wake(WakeCause.Completed);
        hub.RunToEnd();
        Assert.Equal(["Completed", "raised"], hub.Records);
    });

    [Fact]
    public void It_can_be_taken_back_until_it_is_raised() => Run(hub =>
    {
        hub.Spawn("turn()\nrecord('unharmed')");
        hub.Passes();
        using var mine = Make(hub, "KeyError()");
        using var other = Make(hub, "KeyError()");
        CApi.Py_IncRef(mine.Borrow());
        Assert.True(hub.Loop.Greens[0].Interrupt(new NewRef(mine.Address)));
        Assert.False(hub.Loop.Greens[0].Forgive(other.Borrow()));
        Assert.True(hub.Loop.Greens[0].Forgive(mine.Borrow()));
        Assert.False(hub.Loop.Greens[0].Forgive(mine.Borrow()));
        hub.RunToEnd();
        Assert.Equal(["unharmed"], hub.Records);
    });

    [Fact]
    public void One_that_was_never_raised_goes_with_its_green_thread() => Run(hub =>
    {
        hub.Define("import weakref\nclass Odd(Exception): pass\n");
        hub.Spawn("record('ran')");
        Assert.True(Interrupt(hub, "Odd()", "alive = weakref.ref(it)"));
        Assert.Equal("False", hub.Evaluate("alive() is None"));
        hub.RunToEnd();
        Assert.Equal("True", hub.Evaluate("alive() is None"));
        Assert.False(Interrupt(hub, "Odd()"));
        hub.Spawn("turn()\nrecord('next')");
        hub.RunToEnd();
        Assert.Equal(["ran", "next"], hub.Records);
    });

    [Fact]
    public void A_raised_one_is_let_go_of() => Run(hub =>
    {
        hub.Define("import weakref\nclass Odd(Exception): pass\n");
        hub.Spawn("try:\n    wait(-1)\nexcept Odd:\n    record('raised')");
        hub.Passes();
        Assert.True(Interrupt(hub, "Odd()", "alive = weakref.ref(it)"));
        hub.RunToEnd();
        Assert.Equal("True", hub.Evaluate("alive() is None"));
    });

    [Fact]
    public void Thousands_of_interrupted_waits_leave_no_reference_behind() => Run(hub =>
    {
        hub.Define("import sys\nthe_error = KeyError()\n");
        var before = hub.Evaluate("sys.getrefcount(the_error), sys.getrefcount(None) // 1000, sys.getrefcount(True) // 1000");
        hub.Spawn("for i in range(3000):\n    try:\n        wait(-1)\n    except KeyError: pass\n    try:\n        sleep(99); plain_suspend()\n    except KeyError: pass\n    the_error.__traceback__ = None");
        hub.Passes();
        for (var i = 0; i < 6000; i++)
        {
            Assert.True(Interrupt(hub, "the_error"));
            hub.Passes();
        }

        hub.RunToEnd();
        Assert.Equal(before, hub.Evaluate("sys.getrefcount(the_error), sys.getrefcount(None) // 1000, sys.getrefcount(True) // 1000"));
    });

    private void Run(Action<TestHub> test) => python.Run(hub =>
    {
        hub.Add(new TestCall("wait", (GreenThread green, in HubCallArguments args) => green.Permit.Wait(TestHub.Number(args.At(0)))));
        hub.Add(new TestCall("plain_suspend", (GreenThread green, in HubCallArguments _) =>
        {
            green.Result = PyFast.Singleton(PyConstants.True);
            return green.Waits.Suspend();
        }));
        test(hub);
    });

    [Theory]
    [InlineData("wait(-1)")]
    [InlineData("wait(1000000)")]
    [InlineData("sleep(1000)\n    suspend()")]
    public void One_that_is_interrupted_while_it_runs_hears_it_in_its_next_wait(string wait) => Run(hub =>
    {
        hub.Add(new TestCall("interrupt_me", (GreenThread green, in HubCallArguments _) =>
        {
            Assert.True(Interrupt(hub, "KeyError()"));
            green.Result = TestCalls.None();
            return CallOutcome.Resume;
        }));
        hub.Spawn($"interrupt_me()\nrecord('goes on')\ntry:\n    {wait}\nexcept KeyError:\n    record('raised')");
        hub.Passes();
        hub.Passes();
        Assert.Equal(["goes on", "raised"], hub.Records);
        Assert.Equal(0, hub.Loop.Timers.Count);
    });

    private static bool Interrupt(TestHub hub, string exception, string also = "pass") => hub.Loop.Greens[0].Interrupt(Make(hub, exception, also));

    private static NewRef Make(TestHub hub, string exception, string also = "pass")
    {
        hub.Define($"it = {exception}\n{also}\ndef taken(): return globals().pop('it')\n");
        using var taken = hub.Value("taken");
        return CApi.PyObject_CallNoArgs(taken.Borrow()).OrThrow();
    }

    private sealed class Cancellable(NewRef callable) : IGreenOccupant
    {
        public BorrowedRef Callable => callable.Borrow();

        public int Cancelled { get; private set; }

        public void LeftCpu(GreenThread green)
        {
        }

        public void CancelOperation(GreenThread green) => Cancelled++;

        public void Exited(GreenThread green, nint result)
        {
            Assert.NotEqual(0, result);
            new NewRef(result).Dispose();
            callable.Dispose();
        }
    }
}
