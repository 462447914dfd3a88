"""``ugreen.every()`` and ``ugreen.after()``. Most of the code under test runs in the server; see serving.Server.run. Order comes from events, and from other timers as clocks."""

import signal
import textwrap

import pytest

from serving import PATIENCE, Remote, Server, background

HELPERS = """
import _ugreen, ugreen
from ugreen import _timers

class Runs:
    '''Counts the runs of a timer, and lets the test wait for a number of them.'''
    def __init__(self, body=lambda: None):
        self.moments, self.body, self.changed, self.timer = [], body, ugreen.Condition(), None
    def __call__(self):
        self.moments.append(time.monotonic())
        with self.changed:
            self.changed.notify_all()
        self.body()
    @property
    def count(self):
        return len(self.moments)
    def wait(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: self.count >= count, 20), f"{self.count} of {count} runs"

def every(seconds, body=lambda: None, **options):
    runs = Runs(body)
    runs.timer = ugreen.every(seconds, runs, **options)
    return runs

def after_ticks(count):
    '''Waits until a fresh timer of 5 ms has run so often: by then every older one that was due has run, too.'''
    clock = every(0.005)
    clock.wait(count)
    clock.timer.cancel()
"""


@pytest.fixture(scope="module")
def server():
    with Server("run_code", cores=30) as s:
        yield s


def run(server, code, **values):
    return server.run(HELPERS + textwrap.dedent(code), **values)


# :: When


def test_every_runs_at_fixed_distances_however_long_a_run_takes(server):
    """A timer that counted from the end of each run would take 1.6 s for ten of them."""
    moments = run(server, """
        start = time.monotonic()
        runs = every(0.1, lambda: ugreen.sleep(0.06))
        runs.wait(10)
        runs.timer.cancel()
        return [moment - start for moment in runs.moments[:10]]
    """)
    assert all(moment >= (number + 1) * 0.1 - 0.001 for number, moment in enumerate(moments))
    assert moments[-1] < 1.45


def test_the_next_time_is_counted_from_the_start(server):
    assert run(server, """
        seen = []
        ticks = _timers.Ticks(0.5, 0, lambda: seen.append(1))
        start = ticks._start = 1000.0
        due = [ticks.tick(now) for now in (1000.5, 1001.2, 1001.5, 1004.9, 1005.0)]
        # Also where rounding could have one too many, or one too few.
        ten = _timers.Ticks(0.1, 0, lambda: None)
        ten._start = now = 0.0
        for _ in range(100_000):
            now = ten.tick(now)
        return due, len(seen), now
    """) == [[1001.0, 1001.5, 1002.0, 1005.0, 1005.5], 5, pytest.approx(10_000.1)]


def test_now_runs_at_once(server):
    assert run(server, """
        runs = every(3600, now=True)
        runs.wait(1)
        runs.timer.cancel()
        after_ticks(3)
        return runs.count
    """) == 1


def test_runs_never_overlap_and_those_that_were_missed_are_left_out(server):
    assert run(server, """
        gate, inside, most = ugreen.Event(), [], []
        def body():
            inside.append(1)
            most.append(len(inside))
            gate.wait(20)
            inside.pop()
        runs = every(0.005, body)
        runs.wait(1)
        after_ticks(20)
        while_parked = runs.count
        gate.set()
        runs.wait(5)
        runs.timer.cancel()
        return while_parked, max(most)
    """) == [1, 1]


def test_time_in_which_python_computed_counts_as_one_run(server):
    assert run(server, """
        runs = every(0.01)
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            pass
        ugreen.sleep(0)
        ugreen.sleep(0)
        ugreen.sleep(0)
        count = runs.count
        runs.timer.cancel()
        return count
    """) in range(1, 6), "thirty were due"


def test_after_runs_once_with_its_arguments(server):
    assert run(server, """
        seen = ugreen.Queue()
        timers = [ugreen.after(seconds, lambda a, b, name: seen.put((a, b, name)), a, 2, name="x") for a, seconds in enumerate((0.03, 0.02, 0.01))]
        got = [seen.get(timeout=20) for _ in timers]
        after_ticks(5)
        return got, seen.qsize()
    """) == [[[2, 2, "x"], [1, 2, "x"], [0, 2, "x"]], 0]


def test_after_no_time_is_as_soon_as_the_caller_waits(server):
    assert run(server, """
        seen = []
        ugreen.after(0, seen.append, 1)
        before = list(seen)
        after_ticks(1)
        return before, seen
    """) == [[], [1]]


# :: What a run is


def test_a_run_is_a_green_thread_that_may_wait_and_that_nobody_waits_for(server):
    answer = run(server, """
        seen = ugreen.Queue()
        def look():
            thread = ugreen.current()
            seen.put((thread.daemon, thread.is_request, thread.name, uwsgi.async_id() >= 0))
            ugreen.sleep(3600)
        timer = ugreen.every(0.001, look)
        got = seen.get(timeout=20)
        text = ugreen.dump()
        timer.cancel()
        return got, text
    """)
    assert answer[0] == [True, False, "body.<locals>.look, by ugreen.every()", True]
    assert "spawned ugreen timers: waits" in answer[1] and "look, by ugreen.every(): waits" in answer[1]


def test_contextvars_start_fresh_in_each_run(server):
    assert run(server, """
        import contextvars
        variable = contextvars.ContextVar("v", default="fresh")
        seen = []
        def body():
            seen.append(variable.get())
            variable.set("stale")
        variable.set("the caller's")
        runs = every(0.002, body)
        runs.wait(3)
        runs.timer.cancel()
        return seen[:2]
    """) == ["fresh", "fresh"]


@pytest.mark.parametrize("error", ["ValueError('wrong soup')", "SystemExit(3)", "KeyboardInterrupt()"])
def test_what_a_run_raises_is_logged_and_the_timer_goes_on(server, error):
    start = len(server.log)
    assert run(server, f"""
        def simmer():
            if runs.count == 1:
                raise {error}
        runs = Runs(simmer)
        def cook():
            runs()
        timer = ugreen.every(0.002, cook)
        runs.wait(3)
        timer.cancel()
        return True
    """)
    kind = error.partition("(")[0]
    found = server.wait_log(rf"the timer body\.<locals>\.cook failed\nTraceback(.*\n)*?{kind}.*$", start=start)
    assert "in simmer" in found[0] and "_timers.py" not in found[0] and "_green.py" not in found[0]
    assert server.log.count("cook failed", start) == 1


def test_a_run_that_is_killed_ends_quietly_and_the_timer_goes_on(server):
    start = len(server.log)
    assert run(server, """
        threads = ugreen.Queue()
        def body():
            if runs.count == 1:
                threads.put(ugreen.current())
                ugreen.sleep(3600)
        runs = every(0.002, body)
        threads.get(timeout=20).kill()
        runs.wait(3)
        runs.timer.cancel()
        return True
    """)
    assert "failed" not in server.log[start:]


# :: The Timer


def test_cancel_from_outside_and_from_the_function_itself(server):
    assert run(server, """
        outside, itself = every(0.002), Runs()
        def once():
            itself()
            once.cancel()
        once = ugreen.every(0.002, once)
        late = ugreen.after(0.002, itself)
        late.cancel()
        outside.wait(2)
        itself.wait(1)
        outside.timer.cancel()
        outside.timer.cancel()
        count = outside.count
        after_ticks(10)
        return outside.count - count, itself.count, [timer.cancelled for timer in (outside.timer, once, late)]
    """) == [0, 1, [True, True, True]]


def test_as_a_decorator(server):
    assert run(server, """
        seen = ugreen.Queue()
        @ugreen.every(0.002)
        def refresh(what="by itself"):
            "Refreshes."
            seen.put(what)
            return what
        by_itself = seen.get(timeout=20)
        called = refresh("by hand")
        refresh.cancel()
        return by_itself, called, refresh.__name__, refresh.__doc__, repr(refresh)
    """) == ["by itself", "by hand", "refresh", "Refreshes.", "<ugreen.Timer body.<locals>.refresh, by ugreen.every(), cancelled>"]


def test_timers_that_were_cancelled_take_no_memory(server):
    assert run(server, """
        after_ticks(1)
        before = len(_timers.timekeeper._heap)
        most = 0
        for _ in range(50):
            for _ in range(100):
                ugreen.after(3600, print).cancel()
            ugreen.sleep(0)
            most = max(most, len(_timers.timekeeper._heap) - before)
        return most
    """) < 1000


@pytest.mark.parametrize("call, kind, text", [
    ("ugreen.every(0, print)", "ValueError", "every(): the number of seconds must be between 0.001 and"),
    ("ugreen.every(-1, print)", "ValueError", "it is -1"),
    ("ugreen.every(float('nan'), print)", "ValueError", "it is nan"),
    ("ugreen.every(float('inf'))", "ValueError", "it is inf"),
    ("ugreen.every('5', print)", "TypeError", "every(): the number of seconds must be an int or a float"),
    ("ugreen.every(print)", "TypeError", "every(): the number of seconds"),
    ("ugreen.every(1, 'x')", "TypeError", "every(): the function is not callable, it is a str"),
    ("ugreen.every(1)(2)", "TypeError", "every(): the function is not callable, it is a int"),
    ("ugreen.after(-0.1, print)", "ValueError", "after(): the number of seconds must be between 0 and"),
    ("ugreen.after(10 ** 400, print)", "ValueError", "after(): the number of seconds must be between 0 and"),
    ("ugreen.after(1, None)", "TypeError", "after(): the function is not callable, it is a NoneType"),
])
def test_wrong_calls(server, call, kind, text):
    with pytest.raises(Remote) as error:
        run(server, call)
    assert error.value.kind == kind and text in error.value.text


def test_there_is_a_limit(server):
    with pytest.raises(Remote) as error:
        run(server, """
            most, timers = _timers.MOST, []
            _timers.MOST = 20
            try:
                for _ in range(30):
                    timers.append(ugreen.after(3600, print))
            finally:
                _timers.MOST = most
                for timer in timers:
                    timer.cancel()
        """)
    assert error.value.kind == "RuntimeError" and "after(): 20 timers wait already" in error.value.text


# :: From elsewhere, and many


def test_from_other_os_threads(server):
    assert run(server, """
        runs, cores, made, errors = Runs(), set(), [], []
        def body():
            runs()
            cores.add(uwsgi.async_id() >= 0)
        def thread():
            try:
                made.append(ugreen.every(0.01, body))
                made.append(ugreen.after(0.005, body))
            except BaseException as error:
                errors.append(repr(error))
        threads = [threading.Thread(target=thread) for _ in range(10)]
        for t in threads:
            t.start()
        runs.wait(60)
        ended = ugreen.Event()
        def end():
            for t in threads:
                t.join()
            for timer in made:
                timer.cancel()
            ended.set()
        threading.Thread(target=end).start()
        assert ended.wait(20)
        count = runs.count
        after_ticks(5)
        return errors, list(cores), len(made), runs.count - count <= 20
    """) == [[], [True], 20, True]


def test_a_thousand_timers_take_one_green_thread_while_they_wait(server):
    before, idle, ran = run(server, """
        def spawned():
            return sum(request is None for _, _, _, request, _ in _ugreen.greens())
        after_ticks(1)
        before = spawned()
        runs = Runs()
        timers = [ugreen.after(1.0, runs) for _ in range(500)] + [ugreen.every(1.0, runs) for _ in range(500)]
        idle = spawned()
        runs.wait(1000)
        for timer in timers:
            timer.cancel()
        return before, idle, runs.count
    """)
    # Those that other tests have left parked are in both.
    assert idle == before and ran >= 1000


def test_more_runs_than_cores_follow_each_other():
    with Server("run_code", cores=4, options=["--ugreen-spawn-max", "5"]) as server:
        assert run(server, """
            inside, most = [], []
            def body():
                inside.append(1)
                most.append(len(inside))
                ugreen.sleep(0.001)
                inside.pop()
            runs = Runs(body)
            for _ in range(200):
                ugreen.after(0.01, runs)
            runs.wait(200)
            return max(most)
        """) == 4
        assert "wait for a free core" not in server.log


def test_a_run_that_finds_no_core_waits_and_is_told_about():
    with Server("run_code", cores=4, options=["--ugreen-spawn-max", "3"]) as server:
        assert run(server, """
            shared.gate, shared.runs = ugreen.Event(), Runs()
            after_ticks(1)
            shared.parked = [ugreen.spawn(shared.gate.wait) for _ in range(2)]
            ugreen.after(0.001, shared.runs)
            ugreen.after(0.001, shared.runs)
            return True
        """)
        server.wait_log(r"^2 timers or signal handlers wait for a free core: 3 spawned green threads run; see --ugreen-spawn-max$")
        assert run(server, "return shared.runs.count") == 0
        assert run(server, "shared.gate.set(); shared.runs.wait(2); return shared.runs.count") == 2
        assert server.log.count("wait for a free core") == 1


@pytest.mark.parametrize("most", [0, 1])
def test_without_room_for_a_run_there_are_no_timers(most):
    with Server("run_code", cores=2, options=["--ugreen-spawn-max", str(most)]) as server, pytest.raises(Remote) as error:
        run(server, "ugreen.every(1, print)")
    assert error.value.kind == "SpawnLimit" and f"room for {most}; see --ugreen-spawn-max" in error.value.text


# :: Start and stop


def test_from_the_import_of_the_application_to_the_stop():
    with Server("timers_app", cores=2) as server:
        assert server.get("/wait").text == "on core: every, from a thread, once"
        for name in ("raises", "rests", "computes"):
            server.wait_log(f"{name} runs")
    # Server has checked that the exit code is 0.
    log = server.log
    assert "rests is ended by GreenExit" in log
    assert log.count("Traceback") == log.count("ZeroDivisionError") == 1, "only what the application raises itself"
    assert "stopping" not in log and "cut off" not in log and log.rstrip().endswith("server: stopped")


def test_a_stop_with_many_timers_is_clean_and_they_go_on_until_the_last_request_is_served(control):
    """More of them than there are cores for, so some runs wait for one when the server ends."""
    with Server("run_code", cores=4, options=["--ugreen-spawn-max", "10"], env=control.env) as server:
        run(server, """
            for i in range(300):
                ugreen.every(0.001 + i / 100_000, lambda: ugreen.sleep(0.002))
            shared.runs = every(0.005)
            shared.runs.wait(3)
        """)
        with background(run, server, "reach('request'); shared.runs.wait(shared.runs.count + 3); return True") as request:
            here = control.wait("request")
            server.send_signal(signal.SIGTERM)
            server.wait_log("SIGTERM: no new requests")
            here.release()
            assert request.result(PATIENCE) is True
        assert server.wait_exit() == 0
    assert "Traceback" not in server.log and "cut off" not in server.log and "failed" not in server.log


def test_a_start_that_fails_ends_whatever_timers_there_are(tmp_path):
    (tmp_path / "no_app.py").write_text(textwrap.dedent("""
        import atexit
        import ugreen, uwsgi

        ugreen.every(0.001, print, now=True)
        uwsgi.register_signal(1, "", print)
        uwsgi.signal(1)
        raise ValueError("no application today")
    """))
    server = Server("no_app", options=["--pythonpath", tmp_path], ready=False)
    server.start()
    assert server.wait_exit() == 1
    assert "no application today" in server.log and "listening" not in server.log


def test_what_python_runs_at_exit_is_told_that_it_is_too_late():
    with Server("run_code", cores=2) as server:
        run(server, """
            import atexit
            uwsgi.register_signal(1, "", print)
            def too_late():
                for function in (lambda: uwsgi.signal(1), lambda: ugreen.every(1, print), lambda: ugreen.after(0, print)):
                    try:
                        print("nothing raised by", function())
                    except RuntimeError as error:
                        print("refused:", error)
            atexit.register(too_late)
        """)
    assert server.log.count("refused: spawn(): the server is stopping") == 3
