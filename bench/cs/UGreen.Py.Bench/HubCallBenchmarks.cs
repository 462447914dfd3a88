using BenchmarkDotNet.Attributes;
using UGreen.Py.CPython;

namespace UGreen.Py.Bench;

/// <summary>
/// Hub calls from a Python loop on a green thread, in the whole application side: one that is answered at once, one that lets the others run, and beside them a function of
/// CPython's own and the empty loop, which is in all of them.
/// </summary>
public class HubCallBenchmarks
{
    private const int Calls = 100_000;

    private NewRef _empty;
    private NewRef _builtin;
    private NewRef _asyncId;
    private NewRef _suspend;

    [GlobalSetup]
    public void Setup() => PythonWorld.Instance.Run(() =>
    {
        var scope = PythonWorld.Instance.Scope;
        scope.Run("import uwsgi");
        _empty = Loop("nothing = None", "pass");
        _builtin = Loop("call, text = len, 'text'", "call(text)");
        _asyncId = Loop("call = uwsgi.async_id", "call()");
        _suspend = Loop("call = uwsgi.suspend", "call()");

        NewRef Loop(string first, string body)
        {
            scope.Run($"def loop():\n    {first}\n    for _ in range({Calls}):\n        {body}");
            return scope.Evaluate("loop");
        }
    });

    [GlobalCleanup]
    public void Cleanup() => PythonWorld.Instance.Run(() =>
    {
        foreach (var loop in (NewRef[])[_empty, _builtin, _asyncId, _suspend]) loop.Dispose();
    });

    [Benchmark(Description = "empty Python loop", OperationsPerInvoke = Calls)]
    public void Empty() => PythonWorld.Instance.Run(() => PythonWorld.Instance.RunGreen(_empty.Borrow()));

    [Benchmark(Description = "len(text)", OperationsPerInvoke = Calls)]
    public void Builtin() => PythonWorld.Instance.Run(() => PythonWorld.Instance.RunGreen(_builtin.Borrow()));

    [Benchmark(Description = "uwsgi.async_id(): answered at once", OperationsPerInvoke = Calls)]
    public void AsyncId() => PythonWorld.Instance.Run(() => PythonWorld.Instance.RunGreen(_asyncId.Borrow()));

    [Benchmark(Description = "uwsgi.suspend(): a pass of the hub", OperationsPerInvoke = Calls)]
    public void Suspend() => PythonWorld.Instance.Run(() => PythonWorld.Instance.RunGreen(_suspend.Borrow()));
}
