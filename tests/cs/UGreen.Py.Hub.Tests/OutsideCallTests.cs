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
        Assert.Equal("RuntimeError", Assert.Throws<PythonException>(() => hub.Evaluate("fail()")).TypeName);
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

    private static nint Raises()
    {
        using var scope = new Testing.InterpreterScope();
        return scope.Evaluate("1 / 0").Detach();
    }

    private static void AddWhere(TestHub hub) => hub.Add(Outside("where", (in HubCallArguments args, bool onHubThread) => PyText.FromText($"{args.Count} {onHubThread}").OrThrow().Detach()));

    private static TestCall Outside(string name, OutsideBody body) => new(name, (GreenThread _, in HubCallArguments _) => throw new InvalidOperationException("was called from a green thread"), outside: body);
}
