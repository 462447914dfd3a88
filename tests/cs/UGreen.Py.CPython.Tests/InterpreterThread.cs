using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using UGreen.Py.CPython;

namespace UGreen.Py.Testing;

/// <summary>
/// The OS thread on which a test process has its one CPython; tests run their bodies on it, one at a time, with the GIL held and no Python code below them.
/// CPython can be started once per process and is never finalised, so this is made once and the thread outlives every test.
/// </summary>
public abstract class InterpreterThread : IDisposable
{
    // A test that takes as long as this hangs; the ones after it then fail the same way instead of blocking the run.
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly BlockingCollection<Action> _work = [];

    protected InterpreterThread(int stackBytes)
    {
        new Thread(Main, stackBytes) { Name = "python", IsBackground = true }.Start();
        Run(() => Interpreter.Start(Locate()));
    }

    /// <summary>Runs the body of a test on the thread and rethrows what it throws.</summary>
    public void Run(Action body)
    {
        ExceptionDispatchInfo? failure = null;
        using var done = new ManualResetEventSlim();
        _work.Add(() =>
        {
            try
            {
                body();
            }
            catch (Exception error)
            {
                failure = ExceptionDispatchInfo.Capture(error);
            }

            // Only now: the waiter reads what was set before.
            done.Set();
        });
        if (!done.Wait(s_limit)) throw new TimeoutException($"the Python thread did not finish within {s_limit.TotalSeconds} s");
        failure?.Throw();
    }

    /// <summary>No new work. The thread stays where it is: it holds the GIL, and the process ends around it.</summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _work.CompleteAdding();
    }

    /// <summary>Which CPython to start; also the place for what can only be tried before one runs.</summary>
    protected virtual PythonInstallation Locate() => PythonLocator.Find(null, null);

    private void Main()
    {
        foreach (var work in _work.GetConsumingEnumerable()) work();

        // A thread that ended would take the thread state's stack with it while CPython still points there.
        Thread.CurrentThread.Join();
    }
}
