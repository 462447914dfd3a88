using UGreen.Py.Switching;
using UGreen.Py.Testing;
using Xunit;

namespace UGreen.Py.Hub.Tests;

/// <summary>The hub thread of the test process: CPython and the green stacks, in the order of the worker's boot. Every test makes a loop of its own on it.</summary>
public sealed class PythonHub() : InterpreterThread(GreenStacks.ReserveBytes(Cores, StackPages))
{
    public const int Cores = 6;
    public const int StackPages = 128;

    private GreenStacks? _stacks;

    /// <summary>Runs a test on the hub thread, with a fresh loop. Green threads that the test leaves behind are forgotten with it; errors of scripts fail the test.</summary>
    internal void Run(Action<TestHub> test) => Run(() =>
    {
        _stacks ??= GreenStacks.Carve(Cores, StackPages);
        using var hub = new TestHub(_stacks);
        test(hub);
        hub.AssertNoUnexpectedErrors();
    });
}

[CollectionDefinition(Name)]
public sealed class PythonHubCollection : ICollectionFixture<PythonHub>
{
    public const string Name = "python";
}
