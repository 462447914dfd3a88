using Xunit;

namespace UGreen.Py.Hub.Tests;

/// <summary>Two or more green threads take turns; none sees anything of another's interpreter state.</summary>
[Collection(PythonHubCollection.Name)]
public sealed class IsolationTests(PythonHub python)
{
    [Fact]
    public void The_exception_being_handled() => python.Run(hub =>
    {
        hub.Define("""
            import sys

            def handle(name):
                for i in range(5):
                    try:
                        raise ValueError(f'{name}{i}')
                    except ValueError as error:
                        turn()
                        assert sys.exc_info()[1] is error, sys.exc_info()
                        try:
                            raise KeyError(f'{name}{i}')
                        except KeyError as inner:
                            turn()
                            assert sys.exc_info()[1] is inner, sys.exc_info()
                            assert inner.__context__ is error, inner.__context__
                        assert sys.exc_info()[1] is error, sys.exc_info()
                        try:
                            raise
                        except ValueError as again:
                            assert again is error
                    turn()
                    assert sys.exc_info() == (None, None, None), sys.exc_info()
                record(name)
            """);
        foreach (var name in (string[])["a", "b", "c"]) hub.Spawn($"handle('{name}')");
        hub.Spawn("for i in range(10):\n    turn()\n    assert sys.exc_info() == (None, None, None), sys.exc_info()");
        hub.RunToEnd();
        Assert.Equal(["a", "b", "c"], hub.Records);
        Assert.Equal("(None, None, None)", hub.Evaluate("sys.exc_info()"));
    });

    [Fact]
    public void An_exception_on_its_way_through_finally_blocks_that_wait() => python.Run(hub =>
    {
        hub.Define("""
            def fall(name, depth):
                try:
                    if depth: fall(name, depth - 1)
                    else: raise LookupError(name)
                finally:
                    turn()
            """);
        var scripts = ((string[])["a", "b"]).Select(name => hub.Spawn($"fall('{name}', 5)")).ToArray();
        foreach (var script in scripts) script.ErrorIsExpected = true;
        hub.RunToEnd();
        Assert.Equal(["LookupError: a", "LookupError: b"], scripts.Select(script => script.Error!.Message));
    });

    [Fact]
    public void Contextvars() => python.Run(hub =>
    {
        hub.Define("""
            import contextvars
            var = contextvars.ContextVar('var', default='unset')

            def values(name):
                assert var.get() == 'unset', var.get()
                for i in range(20):
                    token = var.set((name, i))
                    # The second look is answered by the variable's cache, the third, after the turn, must not be.
                    assert var.get() == (name, i) and var.get() == (name, i)
                    turn()
                    assert var.get() == (name, i), (name, i, var.get())
                    if i % 3 == 0:
                        var.reset(token)
                        turn()
                inside = contextvars.copy_context()
                inside.run(nested, name)
                assert var.get() == (name, 19), var.get()
                record(name)

            def nested(name):
                var.set((name, 'nested'))
                turn()
                assert var.get() == (name, 'nested'), var.get()
            """);
        foreach (var name in (string[])["a", "b", "c"]) hub.Spawn($"values('{name}')");
        hub.RunToEnd();
        Assert.Equal(["a", "b", "c"], hub.Records.Order());
        Assert.Equal("unset", hub.Evaluate("var.get()"));
    });

    [Fact]
    public void Thread_locals() => python.Run(hub =>
    {
        hub.Define("""
            import threading
            local = threading.local()

            def values(name):
                assert not hasattr(local, 'value')
                for i in range(10):
                    local.value = (name, i)
                    turn()
                    assert local.value == (name, i), local.value
                record(name)
            """);
        foreach (var name in (string[])["a", "b", "c"]) hub.Spawn($"values('{name}')");
        hub.RunToEnd();
        Assert.Equal(["a", "b", "c"], hub.Records);
        Assert.Equal("False", hub.Evaluate("hasattr(local, 'value')"));
    });

    /// <summary>Each green thread's frames lie in data-stack chunks of its own; were they shared, interleaved calls would overwrite each other's variables.</summary>
    [Fact]
    public void Frames_and_local_variables_in_interleaved_calls() => python.Run(hub =>
    {
        hub.Define("""
            import random

            def walk(rng, name, depth):
                a, b, c = (name, depth, 'a'), [name] * depth, {name: depth}
                if rng.random() < 0.3: turn()
                for i in range(rng.randrange(3) if depth < 12 else 0):
                    assert walk(rng, name, depth + 1) == (name, depth + 1)
                    if rng.random() < 0.3: turn()
                assert a == (name, depth, 'a') and b == [name] * depth and c == {name: depth}
                return name, depth

            def generate(name):
                for i in range(30):
                    turn()
                    yield name, i
            """);
        for (var seed = 0; seed < PythonHub.Cores; seed++)
            hub.Spawn($"rng = random.Random({seed})\nfor i in range(20): walk(rng, {seed}, 0)\nassert list(generate({seed})) == [({seed}, i) for i in range(30)]\nrecord('ok')");
        hub.RunToEnd(200_000);
        Assert.Equal(Enumerable.Repeat("ok", PythonHub.Cores), hub.Records);
    });

    [Fact]
    public void Recursion_depth() => python.Run(hub =>
    {
        // Both are 600 deep at once: as one depth that would be over the limit of 1,000.
        hub.Define("import sys\ndef down(n):\n    if n % 100 == 0: turn()\n    if n: down(n - 1)\n    return n");
        hub.Spawn("assert sys.getrecursionlimit() == 1000\nrecord(down(600))");
        hub.Spawn("record(down(600))");
        hub.RunToEnd();
        Assert.Equal(["600", "600"], hub.Records);
    });

    [Fact]
    public void A_recursion_error_of_one_leaves_the_others_their_depth() => python.Run(hub =>
    {
        hub.Define("def for_ever():\n    for_ever()\ndef down(n):\n    if n: down(n - 1)\n    else: turn()");
        hub.Spawn("try:\n    for_ever()\nexcept RecursionError as error:\n    turn()\n    record(error.args[0][:32])\nturn()\ndown(900)\nrecord('a')");
        hub.Spawn("down(900)\nturn()\ndown(900)\nrecord('b')");
        hub.RunToEnd();
        Assert.Equal("maximum recursion depth exceeded", hub.Records[0]);
        Assert.Equal(["a", "b"], hub.Records.Skip(1).Order());
    });

    [Fact]
    public void The_recursion_limit_may_change_while_others_are_parked() => python.Run(hub =>
    {
        hub.Define("""
            import sys

            def room():
                'How many calls deeper one can go from here.'
                n = 0
                def deeper():
                    nonlocal n
                    n += 1
                    deeper()
                try: deeper()
                except RecursionError: pass
                return n

            def at(depth, do):
                return at(depth - 1, do) if depth else do()

            def waiting():
                before = room()
                park()
                return before, room()
            """);
        hub.Spawn("before, after = at(100, waiting)\nrecord(after - before)\nrecord(room() - before)");
        hub.Passes();
        hub.Spawn("sys.setrecursionlimit(1300)");
        hub.Passes();
        hub.Spawn("park()\nrecord(room())");
        hub.Passes();
        foreach (var green in hub.Loop.Greens.Where(green => green.Status == GreenStatus.Parked)) green.Wake(WakeCause.Completed);
        hub.RunToEnd();
        var fresh = int.Parse(hub.Records[2]);
        hub.Define("sys.setrecursionlimit(1000)");

        // 300 more for who was parked; back at its bottom 101 frames more (at(100) is 101 calls, one of them waiting's).
        Assert.Equal("300", hub.Records[0]);
        Assert.InRange(int.Parse(hub.Records[1]), 400, 403);
        Assert.InRange(fresh, 1290, 1300);
        Assert.Equal("1000", hub.Evaluate("sys.getrecursionlimit()"));
    });

    [Fact]
    public void A_finalizer_that_waits_keeps_its_deallocations_to_itself() => python.Run(hub =>
    {
        // Nested deep enough for CPython's trashcan: the outer deallocations are under way while the finalizer waits.
        hub.Define("""
            class Waits:
                def __init__(self, name): self.name = name
                def __del__(self):
                    turn()
                    record(self.name)

            def nest(name, depth):
                thing = (Waits(name),)
                for i in range(depth): thing = (thing,)
                return thing

            def drop(name):
                thing = nest(name, 120)
                del thing
                record(name + ' end')
            """);
        foreach (var name in (string[])["a", "b", "c"]) hub.Spawn($"drop('{name}')");
        hub.RunToEnd();
        foreach (var name in (string[])["a", "b", "c"]) Assert.Equal([name, name + " end"], hub.Records.Where(line => line.StartsWith(name, StringComparison.Ordinal)));
    });

    [Fact]
    public void A_tracer_sees_green_threads_that_start_after_it() => python.Run(hub =>
    {
        hub.Define("""
            import sys
            seen = []

            def tracer(frame, event, arg):
                if event == 'call': seen.append(frame.f_code.co_name)
                return tracer

            def traced(): turn()
            """);
        hub.Define("sys.settrace(tracer)");
        hub.Spawn("traced()");
        hub.RunToEnd();
        hub.Define("sys.settrace(None)");
        Assert.Contains("traced", hub.Evaluate("seen"), StringComparison.Ordinal);
    });

    /// <summary>A seeded mix of everything that is swapped, many green threads after each other on few cores.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Everything_at_once_in_a_seeded_order(int seed) => python.Run(hub =>
    {
        hub.Define("""
            import contextvars, gc, random, sys, threading
            var = contextvars.ContextVar('var', default=None)
            local = threading.local()

            def act(rng, name, depth):
                var.set((name, depth))
                local.value = (name, depth)
                try:
                    raise ValueError(name)
                except ValueError as error:
                    for i in range(rng.randrange(1, 4)):
                        choice = rng.randrange(4)
                        if choice == 0: turn()
                        elif choice == 1 and depth < 30: act(rng, name, depth + 1)
                        elif choice == 2: gc.collect(0)
                        else: turn(); turn()
                        assert sys.exc_info()[1] is error
                    assert var.get()[0] == name and local.value[0] == name
                    # The turns in a generator and in a comparison called from C.
                    assert [next(each) for each in [(turn() or name for _ in 'x')]] == [name]
                    assert sorted([3, 1, 2], key=lambda x: turn() or x) == [1, 2, 3]
                    assert sys.exc_info()[1] is error
            """);
        var started = 0;
        void Next()
        {
            if (started >= 40) return;
            var name = started++;
            hub.Spawn($"assert var.get() is None\nact(random.Random({seed} * 1000 + {name}), {name}, 0)\nrecord('ok')");
        }

        hub.Loop.CoreFreed = Next;
        for (var i = 0; i < PythonHub.Cores; i++) Next();
        hub.RunToEnd(1_000_000);
        Assert.Equal(Enumerable.Repeat("ok", 40), hub.Records);
    });
}
