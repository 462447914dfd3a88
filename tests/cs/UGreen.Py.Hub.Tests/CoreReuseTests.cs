using UGreen.Py.CPython;
using Xunit;

namespace UGreen.Py.Hub.Tests;

/// <summary>Cores and the green threads that come and go on them: what belongs to the core stays, what belongs to the request goes.</summary>
[Collection(PythonHubCollection.Name)]
public sealed class CoreReuseTests(PythonHub python)
{
    [Fact]
    public void There_are_as_many_green_threads_as_cores() => python.Run(hub =>
    {
        for (var i = 0; i < PythonHub.Cores; i++)
        {
            Assert.Equal(PythonHub.Cores - i, hub.Loop.FreeCores);
            hub.Spawn("record(core())\npark()");
        }

        Assert.Equal(0, hub.Loop.FreeCores);
        Assert.Null(hub.TrySpawn("pass"));
        hub.Passes();
        Assert.Equal(Enumerable.Range(0, PythonHub.Cores).Select(i => $"{i}"), hub.Records);
    });

    [Fact]
    public void The_end_frees_the_core_and_says_so() => python.Run(hub =>
    {
        var freed = 0;
        hub.Loop.CoreFreed = () =>
        {
            freed++;
            Assert.Equal(PythonHub.Cores, hub.Loop.FreeCores);
        };
        hub.Spawn("turn()");
        hub.Passes();
        Assert.Equal((0, PythonHub.Cores - 1), (freed, hub.Loop.FreeCores));
        hub.Passes();
        Assert.Equal((1, PythonHub.Cores), (freed, hub.Loop.FreeCores));
        Assert.Equal(GreenStatus.Free, hub.Loop.Greens[0].Status);
        Assert.Null(hub.Loop.Greens[0].Occupant);
    });

    [Fact]
    public void The_freed_core_may_be_taken_at_once() => python.Run(hub =>
    {
        var left = 20;
        hub.Loop.CoreFreed = () =>
        {
            if (left-- > 0) hub.Spawn("turn()\nrecord(core())");
        };
        hub.Spawn("record('first')");
        hub.RunToEnd();
        Assert.Equal(["first", .. Enumerable.Repeat("0", 20)], hub.Records);
    });

    [Fact]
    public void Contextvars_are_fresh_and_thread_locals_stay() => python.Run(hub =>
    {
        hub.Define("import threading, contextvars\nlocal = threading.local()\nvar = contextvars.ContextVar('var', default='unset')");
        const string Code = "record(f\"{getattr(local, 'value', 'none')} {var.get()}\")\nlocal.value = 'kept'\nvar.set('set')\nturn()\nrecord(f'{local.value} {var.get()}')";
        for (var i = 0; i < 3; i++)
        {
            hub.Spawn(Code);
            hub.RunToEnd();
        }

        Assert.Equal(["none unset", "kept set", "kept unset", "kept set", "kept unset", "kept set"], hub.Records);
    });

    [Fact]
    public void A_context_is_released_when_its_green_thread_ends() => python.Run(hub =>
    {
        hub.Define("import weakref, contextvars\nclass Thing: pass\nvar = contextvars.ContextVar('var')\nalive = None");
        hub.Spawn("global alive\nthing = Thing()\nalive = weakref.ref(thing)\nvar.set(thing)\nturn()");
        hub.Passes();
        Assert.Equal("True", hub.Evaluate("alive() is not None"));
        hub.RunToEnd();
        Assert.Equal("True", hub.Evaluate("alive() is None"));
    });

    [Fact]
    public void What_a_green_thread_keeps_is_released_when_it_ends() => python.Run(hub =>
    {
        hub.Add(new TestCall("keep", (GreenThread green, in HubCallArguments args) =>
        {
            green.Keep(args.At(0));
            green.Result = TestCalls.None();
            return CallOutcome.Resume;
        }));
        hub.Define("import weakref\nclass Thing: pass\nalive = []");
        for (var i = 0; i < 2; i++)
        {
            hub.Spawn("for _ in range(3):\n    thing = Thing()\n    alive.append(weakref.ref(thing))\n    keep(thing)\nthing = None\nturn()");
            hub.Passes();
            Assert.Equal("3", hub.Evaluate("sum(ref() is not None for ref in alive)"));
            hub.RunToEnd();
            Assert.Equal("0", hub.Evaluate("sum(ref() is not None for ref in alive)"));
        }
    });

    [Fact]
    public void After_an_exception_the_core_serves_the_next_as_if_nothing_had_been() => python.Run(hub =>
    {
        hub.Define("import sys\ndef deep(n):\n    if n: return deep(n - 1)\n    turn()\n    raise ValueError('deep')");
        hub.Spawn("deep(300)").ErrorIsExpected = true;
        hub.RunToEnd();
        hub.Spawn("record(sys.exc_info())\nrecord(sum(1 for _ in walk(sys._getframe())))");
        hub.Define("def walk(frame):\n    while frame is not None:\n        yield frame\n        frame = frame.f_back");
        hub.RunToEnd();
        Assert.Equal(["(None, None, None)", "1"], hub.Records);
    });

    [Fact]
    public void Handled_exceptions_leave_no_reference_on_the_core() => python.Run(hub =>
    {
        // CPython leaves a counted None where the handled exception was.
        hub.Define("import sys");
        for (var i = 0; i < 3; i++) Handle();
        var before = int.Parse(hub.Evaluate("sys.getrefcount(None)"));
        for (var i = 0; i < 500; i++) Handle();
        Assert.InRange(int.Parse(hub.Evaluate("sys.getrefcount(None)")) - before, -100, 100);

        void Handle()
        {
            hub.Spawn("try: raise ValueError\nexcept ValueError: turn()");
            hub.RunToEnd();
        }
    });

    [Fact]
    public void A_registration_does_not_outlive_its_green_thread() => python.Run(hub =>
    {
        using var fds = new TestFds();
        var (read, write) = fds.Pipe();
        hub.Spawn($"read({read})\nsleep(1_000_000)");
        hub.RunToEnd();
        Assert.Equal(0, hub.Loop.Timers.Count);

        // The next one on the core waits for nothing of that.
        TestFds.Write(write);
        hub.Spawn("record(suspend())");
        hub.RunToEnd();
        Assert.Equal(["None"], hub.Records);
    });

    [Fact]
    public void A_green_thread_may_spawn_others_and_goes_on_as_it_was() => python.Run(hub =>
    {
        hub.Add(new TestCall("spawn", (GreenThread green, in HubCallArguments args) =>
        {
            hub.Spawn(TestHub.Text(args.At(0)));
            green.Result = TestCalls.None();
            return CallOutcome.Resume;
        }));
        hub.Define("""
            import contextvars, sys, threading
            var = contextvars.ContextVar('var', default='unset')
            local = threading.local()

            def parent(n):
                if n: return parent(n - 1)
                var.set('parent')
                local.value = 'parent'
                try:
                    raise ValueError('parent')
                except ValueError:
                    for i in range(3):
                        spawn(f"record('child %d %s %s %s' % ({i}, var.get(), sys.exc_info()[0], hasattr(local, 'value')))\nturn()")
                        record(f'parent {var.get()} {sys.exc_info()[1]} {local.value}')
                    turn()
                    record(f'parent {var.get()} {sys.exc_info()[1]} {local.value}')
                return 'parent'
            """);
        var script = hub.Spawn("return parent(50)");
        hub.RunToEnd();
        Assert.Equal("parent", script.Result);
        // The fourth line of the parent may come before or after the children, who became ready while it ran.
        Assert.Equal(Enumerable.Repeat("parent parent parent parent", 4), hub.Records.Where(line => line.StartsWith("parent", StringComparison.Ordinal)));
        Assert.Equal(Enumerable.Range(0, 3).Select(i => $"child {i} unset None False"), hub.Records.Where(line => line.StartsWith("child", StringComparison.Ordinal)));
    });

    [Fact]
    public void Resumes_are_counted() => python.Run(hub =>
    {
        hub.Spawn("turn()\ncore()\nturn()");
        hub.RunToEnd();

        // The start and the return of each of the three calls.
        Assert.Equal(4, hub.Loop.Resumes);
    });
}
