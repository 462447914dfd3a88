using UGreen.Py.CPython;
using UGreen.Py.Gateway;
using UGreen.Py.Hub;
using UGreen.Py.Hub.Tests;
using UGreen.Py.Testing;
using Xunit;

namespace UGreen.Py.Wsgi.Tests;

/// <summary>The application side with an application that each test sets, stepped by the test. Hub thread, GIL held.</summary>
#pragma warning disable CA1001 // it lives as long as the process
internal sealed class WsgiHub(HubLoop loop, ThreadStateSwap state, WsgiApplication side, FakeClock clock, FakeControl control)
#pragma warning restore CA1001
{
    // Each step of a request takes a pass or two; a busy hub asks the kernel only now and then.
    private const int EnoughPasses = 100;

    private readonly InterpreterScope _scope = new();

    public FakeClock Clock { get; } = clock;

    public FakeControl Control { get; } = control;

    /// <summary>The application of the requests from now on: the body of a function of environ and start_response; it may use uwsgi and record(text).</summary>
    public void Application(string code)
    {
        var body = string.Join("\n", code.Split('\n').Select(line => "    " + line));
        _scope.Run("import uwsgi, ugreen._driver\nrecords = []\nrecord = records.append\ndef application(environ, start_response):\n" + body + "\nugreen._driver.application = application");
    }

    /// <summary>What the application recorded, a line each.</summary>
    public string Records => _scope.Text("'\\n'.join(map(str, records))");

    /// <summary>Runs Python code outside any green thread, as at import time.</summary>
    public void Outside(string code) => _scope.Run(code);

    /// <summary>The text of a Python expression over what the application set.</summary>
    public string Evaluate(string expression) => _scope.Text(expression);

    /// <summary>Hands the exchange over and lets the hub do what it can.</summary>
    public TestExchange Submit(TestExchange exchange)
    {
        exchange.Running = exchange.RunAsync(side).AsTask();
        Step();
        return exchange;
    }

    public void Step()
    {
        for (var i = 0; i < EnoughPasses; i++) loop.RunPass();
        state.Activate(ThreadStateSwap.Hub);
    }

    /// <summary>Steps until something is true that a pool thread has a part in.</summary>
    public void StepUntil(Func<bool> condition, string what)
    {
        Assert.True(
            SpinWait.SpinUntil(
                () =>
                {
                    Step();
                    return condition();
                },
                TimeSpan.FromSeconds(20)),
            "waited for " + what);
    }

    public int FreeCores => loop.FreeCores;

    public void AssertIdle() => Assert.Equal(PythonThread.Cores, loop.FreeCores);
}
