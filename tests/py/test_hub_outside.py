"""Hub calls from where no green thread runs: other OS threads, import time, finalizers; and from inside a greenlet. None may crash the worker or stop the others."""

import pytest

from serving import PATIENCE, Control, Remote, Server, background, many


@pytest.fixture(scope="module")
def control():
    with Control() as c:
        yield c


@pytest.fixture(scope="module")
def server(control):
    with Server("run_code", cores=10, env=control.env) as s:
        yield s


# The thread's result comes back through a pipe: joining it would stop the hub, and with it all requests.
IN_THREAD = """
    done_r, done_w = pipe()
    answer = []
    def work():
        try: answer.append(body())
        except BaseException as error: answer.append([type(error).__name__, str(error)])
        finally: os.write(done_w, b"x")
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    uwsgi.wait_fd_read(done_r, 20)
    uwsgi.suspend()
    ended = uwsgi.ready_fd() == done_r
    thread.join(5) if ended else None
    os.close(done_r); os.close(done_w)
    return answer[0] if ended else "the thread has not ended"
"""


def in_thread(server, body):
    """Run the body of a function in a foreign threading.Thread of the server, while the request that started it is parked."""
    import textwrap

    return server.run("def body():\n" + textwrap.indent(textwrap.dedent(body), "    ") + "\n" + textwrap.dedent(IN_THREAD))


def test_suspend_in_a_foreign_thread(server):
    assert in_thread(server, "return [uwsgi.suspend() for _ in range(100)]") == [True] * 100


def test_a_foreign_thread_waits_for_an_fd(server):
    assert in_thread(server, """
        r, w = pipe()
        start = time.monotonic()
        uwsgi.wait_fd_read(r, 0.05); uwsgi.suspend()
        timed_out = [uwsgi.ready_fd(), time.monotonic() - start >= 0.05]
        os.write(w, b"x")
        uwsgi.wait_fd_read(r, 20); uwsgi.suspend()
        ready = uwsgi.ready_fd() == r
        uwsgi.suspend()
        return [*timed_out, ready, uwsgi.ready_fd()]
    """) == [-1, True, True, -1]


def test_a_foreign_thread_sleeps(server):
    assert in_thread(server, "start = time.monotonic(); uwsgi.async_sleep(0.05); uwsgi.suspend(); return time.monotonic() - start >= 0.05") is True


def test_a_foreign_threads_wait_does_not_hold_the_gil(server):
    """While it waits, requests are served: one of them is what ends the wait."""
    code = """
        shared.pair = pipe()
        uwsgi.wait_fd_read(shared.pair[0], 20); uwsgi.suspend()
        return os.read(shared.pair[0], 9).decode()
    """
    with background(in_thread, server, code) as waiting:
        server.run("""
            end = time.monotonic() + 20
            while not hasattr(shared, "pair") and time.monotonic() < end: uwsgi.suspend()
            os.write(shared.pair[1], b"from a request")
        """)
        assert waiting.result(PATIENCE) == "from a re"


def test_each_foreign_thread_has_registrations_of_its_own(server):
    assert in_thread(server, """
        (r1, w1), (r2, w2) = pipe(), pipe()
        os.write(w1, b"x")
        uwsgi.wait_fd_read(r1)
        other = []
        def second():
            uwsgi.wait_fd_read(r2, 0.05); uwsgi.suspend(); other.append(uwsgi.ready_fd())
        t = threading.Thread(target=second); t.start(); t.join(10)
        uwsgi.suspend()
        return [other, uwsgi.ready_fd() == r1]
    """) == [[-1], True]


def test_what_needs_no_request_works_in_a_foreign_thread(server):
    mark = len(server.log)
    assert in_thread(server, "return [uwsgi.async_id(), uwsgi.log('from a thread'), uwsgi.worker_id(), uwsgi.ready_fd()]") == [-1, True, 1, -1]
    server.wait_log("from a thread", start=mark)


@pytest.mark.parametrize("call", ["request_id()", "connection_fd()", "start_response('200 OK', [])"])
def test_what_needs_a_request_is_a_systemerror_in_a_foreign_thread(server, call):
    assert in_thread(server, f"uwsgi.{call}") == ["SystemError", "you can call uwsgi api function only from the main callable"]


@pytest.mark.parametrize("call", ["send(b'x')", "write(b'x')", "begin()", "end()", "fail('x')", "respond(b'x')", "read_into(bytearray(9))"])
def test_the_drivers_own_calls_refuse_foreign_threads(server, call):
    kind, text = in_thread(server, f"import _ugreen\n_ugreen.{call}")
    assert kind in ("SystemError", "RuntimeError"), text


def test_bad_arguments_in_a_foreign_thread(server):
    assert in_thread(server, "uwsgi.wait_fd_read('x')")[0] == "TypeError"
    assert in_thread(server, "uwsgi.wait_fd_read(-1)")[0] == "OSError"
    assert in_thread(server, "uwsgi.async_sleep(float('nan'))")[0] == "ValueError"
    assert in_thread(server, "uwsgi.log(1)")[0] == "TypeError"


def test_a_bad_fd_in_a_foreign_thread(server):
    assert in_thread(server, """
        r, w = pipe(); os.close(r); os.close(w)
        try: uwsgi.wait_fd_read(r, 60)
        except OSError as error: return [error.errno, str(r) in str(error), uwsgi.suspend(), uwsgi.ready_fd()]
    """) == [9, True, True, -1]


def test_foreign_threads_and_green_threads_at_once(server):
    """Hub calls of both kinds in flight all the time: each gets its own answers."""
    thread = """
        for i in range(300):
            assert uwsgi.async_id() == -1 and uwsgi.suspend() is True and uwsgi.ready_fd() == -1
            r, w = pipe(); os.write(w, b"x")
            uwsgi.wait_fd_read(r, 20); uwsgi.suspend()
            assert uwsgi.ready_fd() == r
            os.close(r); os.close(w)
        return "fine"
    """
    green = """
        core = uwsgi.async_id()
        for i in range(300):
            r, w = pipe(); os.write(w, b"x")
            uwsgi.wait_fd_read(r, 20); uwsgi.suspend()
            assert uwsgi.ready_fd() == r and uwsgi.async_id() == core == environ["uwsgi.core"]
            os.close(r); os.close(w)
        return "fine"
    """
    assert many(10, lambda i: in_thread(server, thread) if i % 2 else server.run(green)) == ["fine"] * 10


# :: import time


def test_hub_calls_at_import_time():
    with Server("import_time", cores=2) as server:
        seen = server.get("/").json
        server.wait_log("logged at import time")
    assert seen == {
        "async_id": -1, "suspend": True, "sleep": True, "log": True, "timeout": -1, "ready": True, "request_id": "SystemError", "start_response": "SystemError",
        "connection_fd": "SystemError", "bad fd": "OSError", "bad type": "TypeError",
    }


# :: finalizers


def test_a_finalizer_that_suspends_in_a_green_thread(server):
    """It runs on the green stack, so it simply parks there; by reference count, and inside the garbage collector while others collect, too."""
    code = """
        import gc
        ended = []
        class Slow:
            def __init__(self): self.me = self if cycle else None
            def __del__(self):
                for _ in range(5): uwsgi.suspend()
                ended.append(uwsgi.async_id())
        meet(f"finalizers {cycle}", 8)
        for _ in range(20):
            Slow()
            gc.collect()
            uwsgi.suspend()
        # A collection that another one's finalizer has interrupted does nothing; wait for the last of ours.
        end = time.monotonic() + 20
        while len(ended) < 20 and time.monotonic() < end:
            gc.collect()
            uwsgi.suspend()
        return len(ended)
    """
    for cycle in (False, True):
        assert many(8, lambda i, cycle=cycle: server.run(code, cycle=cycle)) == [20] * 8


def test_a_finalizer_on_the_hubs_main_stack(server):
    """
    What dies with the request's context dies on the main stack. A wait there would stop all green threads: it is refused, the error is reported like any error in a
    finalizer, and the server lives on.
    """
    mark = len(server.log)
    server.run("""
        import contextvars
        class Late:
            def __del__(self):
                shared.late = [uwsgi.async_id()]
                try: uwsgi.suspend()
                except RuntimeError as error: shared.late.append(str(error))
                raise ValueError("a finalizer failed")
        contextvars.ContextVar("late").set(Late())
    """)
    late = server.run("""
        end = time.monotonic() + 20
        while not hasattr(shared, "late") and time.monotonic() < end: uwsgi.suspend()
        return shared.late
    """)
    assert len(late) == 1 or (late[0] == -1 and "main stack" in late[1]), late
    server.wait_log("a finalizer failed", start=mark)
    assert server.run("return 'alive'") == "alive"


def test_a_finalizer_that_dies_with_the_thread_locals_of_nobody(server):
    """Objects that the request leaves in reference cycles are finalized in whatever request collects next."""
    server.run("""
        class Loop:
            def __init__(self): self.me = self
            def __del__(self): shared.loop = uwsgi.async_id(), uwsgi.suspend()
        Loop()
    """)
    assert server.run("import gc; gc.collect(); return shared.loop[1] and shared.loop[0] == uwsgi.async_id()") is True


# :: arguments that run Python code while the hub serves the call


def test_hub_calls_inside_the_conversion_of_an_argument(server):
    """fileno() and __float__() are called on the main stack, in the middle of a hub call: a wait is refused there, and the outer call goes on."""
    assert server.run("""
        inner = []
        class Odd:
            def fileno(self): return self.number()
            def __float__(self): return float(self.number())
            def number(self):
                try: uwsgi.suspend()
                except RuntimeError: inner.append("refused")
                return 1
        return [uwsgi.async_sleep(Odd()) == b"", inner]
    """)[1] in (["refused"], [])
    assert server.run("return uwsgi.async_id() == environ['uwsgi.core']") is True


# :: greenlets


def test_a_hub_call_inside_a_greenlet(server):
    """A greenlet of Debian's python3-greenlet runs on its core's green stack, so it may wait like other code there, as long as no other core uses greenlets meanwhile."""
    pytest.importorskip("greenlet")
    assert server.run("""
        import greenlet
        main = greenlet.getcurrent()
        def inner(x):
            uwsgi.suspend()
            uwsgi.async_sleep(0.01); uwsgi.suspend()
            y = main.switch([x, uwsgi.async_id()])
            uwsgi.suspend()
            return ["ended", y]
        g = greenlet.greenlet(inner)
        first = g.switch("in")
        uwsgi.suspend()
        return [first[0], first[1] == environ["uwsgi.core"], g.switch("again"), g.dead]
    """) == ["in", True, ["ended", "again"], True]


def test_greenlets_on_several_cores_at_once():
    """Each core is a thread to greenlet: none switches from another core's greenlet, which would copy the stacks of both into each other."""
    pytest.importorskip("greenlet")
    code = """
        import greenlet
        meet("greenlets", 4)
        main = greenlet.getcurrent()
        def inner(core):
            while True:
                uwsgi.suspend()
                main.switch(core)
        out = []
        for _ in range(10):
            g = greenlet.greenlet(inner)
            uwsgi.suspend()
            out.append(g.switch(environ["uwsgi.core"]))
            out += [g.switch() for _ in range(10)]
        return set(out) == {environ["uwsgi.core"]}
    """
    with Server("run_code", cores=4) as server:
        assert many(4, lambda i: server.run(code)) == [True] * 4
