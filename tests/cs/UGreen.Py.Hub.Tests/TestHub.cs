using System.Globalization;
using UGreen.Py.CPython;
using UGreen.Py.CPython.Api;
using UGreen.Py.Switching;
using UGreen.Py.Testing;
using Xunit;

namespace UGreen.Py.Hub.Tests;

/// <summary>A hub loop for one test, with a clock that the test owns and a few small hub calls for its scripts. Hub thread, GIL held.</summary>
internal sealed class TestHub : IDisposable
{
    private readonly ThreadStateSwap _state = new(PythonHub.Cores);
    private readonly InterpreterScope _scope = new();
    private readonly List<Script> _scripts = [];
    private readonly GreenSwitch _switch;

    public TestHub(GreenStacks stacks)
    {
        HubLoop? loop = null;
        var fallback = HubCallFallback.Install((number, args) => loop!.ServeOutside(number, args));
        _switch = GreenSwitch.Create(SwitchKind.Direct, stacks, LibPython.Symbol("PyObject_CallNoArgs"), fallback);
        Loop = loop = new HubLoop(_switch, _state, new HubCallTable(), Clock, Log);
        foreach (var call in TestCalls.All(this)) Loop.Calls.Register(call);
    }

    public FakeClock Clock { get; } = new();

    public HubLoop Loop { get; }

    public RecordingLogger Log { get; } = new();

    /// <summary>What scripts passed to <c>record()</c>, as text.</summary>
    public List<string> Records { get; } = [];

    /// <summary>The serial that a park of this core was given; for the test to wake it.</summary>
    public Dictionary<int, long> Serials { get; } = [];

    /// <summary>Adds a hub call; before the first script.</summary>
    public void Add(TestCall call) => Loop.Calls.Register(call);

    /// <summary>Defines names that all scripts share.</summary>
    public void Define(string code)
    {
        Publish();
        _scope.Run(code);
    }

    /// <summary>Starts a green thread that runs these statements (the body of a function).</summary>
    public Script Spawn(string code) => TrySpawn(code) ?? throw new InvalidOperationException("no core is free");

    public Script? TrySpawn(string code)
    {
        var callable = Compile(code);
        var script = new Script(callable);
        if (!Loop.TrySpawn(script, callable.Borrow())) return null;
        _scripts.Add(script);
        return script;
    }

    /// <summary>A function without arguments with this body.</summary>
    public NewRef Compile(string code)
    {
        Publish();
        var body = string.Join("\n", code.Split('\n').Select(line => "    " + line));
        _scope.Run("def script():\n" + body);
        return _scope.Evaluate("script");
    }

    /// <summary>The same as text.</summary>
    public string Evaluate(string expression)
    {
        Publish();
        return _scope.Text(expression);
    }

    /// <summary>The value of a Python expression, evaluated on the main stack.</summary>
    public NewRef Value(string expression)
    {
        Publish();
        return _scope.Evaluate(expression);
    }

    /// <summary>Steps the loop and puts the hub's own Python state back in, so that the test may run Python code.</summary>
    public void Passes(int count = 1)
    {
        for (var i = 0; i < count; i++) Loop.RunPass();
        _state.Activate(ThreadStateSwap.Hub);
    }

    /// <summary>Steps the loop until all scripts have ended; a test that never comes there fails.</summary>
    public void RunToEnd(int mostPasses = 10_000)
    {
        for (var i = 0; i < mostPasses && _scripts.Exists(script => !script.HasEnded); i++) Loop.RunPass();
        _state.Activate(ThreadStateSwap.Hub);
        Assert.All(_scripts, script => Assert.True(script.HasEnded, "a script has not ended"));
    }

    public void AssertNoUnexpectedErrors()
        => Assert.All(_scripts, script => Assert.True(script.Error is null || script.ErrorIsExpected, script.Error?.Traceback));

    public void Dispose()
    {
        // After an invariant was broken on purpose a green thread's state may still be in.
        _state.Activate(ThreadStateSwap.Hub);
        Loop.Dispose();
        _scope.Dispose();
    }

    public static string Text(BorrowedRef value)
    {
        using var text = CApi.PyObject_Str(value).OrThrow();
        return PyText.ToText(text.Borrow())!;
    }

    public static nint Number(long value) => CApi.PyLong_FromLongLong(value).OrThrow().Detach();

    public static long Number(BorrowedRef value) => long.Parse(Text(value), CultureInfo.InvariantCulture);

    private void Publish()
    {
        if (!CApi.PyDict_GetItemString(_scope.Globals, "record").IsNull) return;
        using var module = PyText.Interned("test").OrThrow();
        Loop.Calls.Publish(_scope.Globals, _switch.Trampoline, module.Borrow());
    }
}
