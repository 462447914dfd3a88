using System.Runtime.ExceptionServices;

namespace UGreen.Py.Bench;

/// <summary>
/// A thread whose stack has room for green stacks, and which stays the same for all that is measured on it: green stacks are carved out of it, and CPython holds on to it.
/// <para>
/// BenchmarkDotNet calls benchmarks on threads of its own, so a benchmark hands a loop over and waits for its end. That costs some 10 µs and no memory; loops are made so
/// long (OperationsPerInvoke) that it is less than 1 % of them.
/// </para>
/// </summary>
internal sealed class HubThread
{
    private readonly SemaphoreSlim _begin = new(0);
    private readonly SemaphoreSlim _end = new(0);
    private Action? _loop;
    private ExceptionDispatchInfo? _failure;

    /// <param name="stackBytes">Size of its stack.</param>
    public HubThread(int stackBytes) => new Thread(Main, stackBytes) { Name = "bench hub", IsBackground = true }.Start();

    /// <summary>Runs a loop on the thread, waits for its end and rethrows what it throws. One caller at a time.</summary>
    public void Run(Action loop)
    {
        _loop = loop;
        _begin.Release();
        _end.Wait();
        if (_failure is not { } failure) return;
        _failure = null;
        failure.Throw();
    }

    /// <summary>Lets the thread end.</summary>
    public void End()
    {
        _loop = null;
        _begin.Release();
    }

    private void Main()
    {
        while (true)
        {
            _begin.Wait();
            if (_loop is not { } loop) return;
            try
            {
                loop();
            }
            catch (Exception error)
            {
                _failure = ExceptionDispatchInfo.Capture(error);
            }

            _end.Release();
        }
    }
}
