using UGreen.Py.CPython;
using Xunit;

namespace UGreen.Py.Hub.Tests;

/// <summary>Hub calls that no green thread makes: on the main stack, and on other OS threads.</summary>
[Collection(PythonHubCollection.Name)]
public sealed class OutsideCallTests(PythonHub python)
{
    [Fact]
    public void On_the_main_stack_the_call_is_served_at_once() => python.Run(hub =>
    {
        AddWhere(hub);
        Assert.Equal("1 True", hub.Evaluate("where('x')"));
        Assert.Null(hub.Loop.Current);
    });

    [Fact]
    public void On_another_OS_thread_too_while_a_green_thread_runs() => python.Run(hub =>
    {
        AddWhere(hub);
        hub.Define("import threading");

        // join() lets go of the GIL but not of the green stack: the other thread's stack pointer tells the trampoline that it is not the green thread that calls.
        hub.Spawn("answers = []\nthread = threading.Thread(target=lambda: answers.append(where('y')))\nthread.start()\nthread.join()\nrecord(answers[0])\nrecord(core())");
        hub.RunToEnd();
        Assert.Equal(["1 False", "0"], hub.Records);
    });

    [Fact]
    public void Calls_that_need_a_green_thread_are_refused() => python.Run(hub =>
    {
        var error = Assert.Throws<PythonException>(() => hub.Evaluate("core()"));
        Assert.Equal("SystemError: you can call uwsgi api function only from the main callable", error.Message);
    });

    [Fact]
    public void A_HubCallException_is_the_exception_that_it_names() => python.Run(hub =>
    {
        hub.Add(Outside("fail", (in HubCallArguments _, bool _) => throw HubCallException.Os(9, "bad fd")));
        Assert.Equal("OSError: [Errno 9] bad fd", Assert.Throws<PythonException>(() => hub.Evaluate("fail()")).Message);
        Assert.Empty(hub.Log.Entries);
    });

    [Fact]
    public void A_Python_error_of_the_handler_is_a_RuntimeError() => python.Run(hub =>
    {
        hub.Add(Outside("fail", (in HubCallArguments _, bool _) => Raises()));
        Assert.Equal("RuntimeError: fail: ZeroDivisionError: division by zero", Assert.Throws<PythonException>(() => hub.Evaluate("fail()")).Message);
    });

    [Fact]
    public void On_a_green_thread_too_and_the_log_does_not_call_it_our_fault() => python.Run(hub =>
    {
        hub.Add(new TestCall("fail", (GreenThread _, in HubCallArguments _) => { Raises(); return CallOutcome.Resume; }));
        hub.Spawn("try:\n    fail()\nexcept RuntimeError as e:\n    record(e)");
        hub.RunToEnd();
        Assert.Equal(["fail: ZeroDivisionError: division by zero"], hub.Records);
        Assert.Empty(hub.Log.Entries);
    });

    [Theory]
    [InlineData("two()", "two() takes 2 arguments (0 given)")]
    [InlineData("two(1, 2, 3)", "two() takes 2 arguments (3 given)")]
    [InlineData("two(1, b=2)", "two() takes no keyword arguments")]
    [InlineData("one()", "one() takes 0 to 1 argument (0 given)", false)]
    public void A_wrong_number_of_arguments_is_refused_before_the_handler_runs(string call, string message, bool refused = true) => python.Run(hub =>
    {
        hub.Add(new TestCall("two", (GreenThread _, in HubCallArguments args) => Second(args), outside: (in HubCallArguments args, bool _) => Second(args) == CallOutcome.Resume ? TestCalls.None() : 0, arity: Arity.Exactly(2)));
        hub.Add(new TestCall("one", (GreenThread green, in HubCallArguments _) => { green.Result = TestCalls.None(); return CallOutcome.Resume; }, outside: (in HubCallArguments _, bool _) => TestCalls.None(), arity: Arity.Between(0, 1)));
        hub.Spawn($"try:\n    {call}\n    record('served')\nexcept TypeError as e:\n    record(e)");
        hub.RunToEnd();
        Assert.Equal([refused ? message : "served"], hub.Records);
        if (refused) Assert.Equal("TypeError: " + message, Assert.Throws<PythonException>(() => hub.Evaluate(call)).Message);
    });

    [Fact]
    public void An_argument_that_is_not_there_cannot_be_read() => python.Run(hub =>
    {
        hub.Add(Outside("greedy", (in HubCallArguments args, bool _) => args.At(1).Address));
        Assert.Contains("the hub call has no such argument", Assert.Throws<PythonException>(() => hub.Evaluate("greedy(1)")).Message, StringComparison.Ordinal);
        Assert.IsType<ArgumentOutOfRangeException>(Assert.Single(hub.Log.Entries).Error);
    });

    [Fact]
    public void Any_other_exception_is_a_RuntimeError_and_is_logged() => python.Run(hub =>
    {
        hub.Add(Outside("fail", (in HubCallArguments _, bool _) => throw new InvalidDataException("of the test")));
        Assert.Equal("RuntimeError: fail: of the test", Assert.Throws<PythonException>(() => hub.Evaluate("fail()")).Message);
        Assert.IsType<InvalidDataException>(Assert.Single(hub.Log.Entries).Error);
    });

    [Fact]
    public void A_finalizer_that_runs_between_green_threads_is_on_the_main_stack() => python.Run(hub =>
    {
        AddWhere(hub);
        hub.Define("import contextvars\nseen = []\nvar = contextvars.ContextVar('var')\nclass Last:\n    def __del__(self): seen.append(where(1))");

        // The hub releases the context after the green thread has ended, and with it the only reference.
        hub.Spawn("var.set(Last())\nturn()");
        hub.RunToEnd();
        Assert.Equal("['1 True']", hub.Evaluate("seen"));
    });

    private static CallOutcome Second(in HubCallArguments args)
    {
        Assert.False(args.At(1).IsNull);
        return CallOutcome.Resume;
    }

    private static nint Raises()
    {
        using var scope = new Testing.InterpreterScope();
        return scope.Evaluate("1 / 0").Detach();
    }

    private static void AddWhere(TestHub hub) => hub.Add(Outside("where", (in HubCallArguments args, bool onHubThread) => PyText.FromText($"{args.Count} {onHubThread}").OrThrow().Detach()));

    private static TestCall Outside(string name, OutsideBody body) => new(name, (GreenThread _, in HubCallArguments _) => throw new InvalidOperationException("was called from a green thread"), outside: body);
}
