"""``ugreen.run_in_thread``: blocking calls on OS threads. The code under test runs in the server; see serving.Server.run."""

import re
import signal
import textwrap

import pytest

from serving import Remote, Server, background
from test_ugreen_sync import HELPERS

HELPERS += '''
import gc, traceback, weakref
from ugreen import _threads

class Poke(Exception):
    pass

def abandon(fn, *args):
    """Call it on a thread, and be interrupted once it has begun. ``fn`` must not return before."""
    inside, me = ugreen.Event(), _ugreen.green_id()
    def begin():
        inside.set()
        return fn(*args)
    _ugreen.spawn(lambda: (inside.wait(), _ugreen.interrupt(me, Poke())))
    try:
        ugreen.run_in_thread(begin)
    except Poke:
        return True

def all_is_back(threads):
    """Nothing of the calls is left: every permit is there, nobody waits."""
    deadline = time.monotonic() + 20
    while len(_threads._permits._permits) < threads:
        assert time.monotonic() < deadline, _threads._permits._permits
        ugreen.sleep(0.001)
    return len(_threads._permits._permits) == threads and not _threads._permits._waiters
'''

THREADS = 3


@pytest.fixture(scope="module")
def server():
    with Server("run_code", cores=60, options=["--ugreen-threads", THREADS]) as s:
        yield s


@pytest.fixture
def single():
    """A server with one thread, so that what waits for it is known."""
    with Server("run_code", cores=20, options=["--ugreen-threads", 1]) as s:
        yield s


def run(server, code, **values):
    return server.run(HELPERS + textwrap.dedent(code), **values)


def test_arguments_result_and_thread(server):
    result, name, here, daemon = run(server, """
        def fn(*args, **kwargs):
            thread = threading.current_thread()
            return [args, kwargs], thread.name, _ugreen.green_id(), thread.daemon
        return ugreen.run_in_thread(fn, 1, 2, fn=3, self=4)
    """)
    assert result == [[1, 2], {"fn": 3, "self": 4}]
    assert re.fullmatch(r"ugreen-thread_[0-2]", name) and here == -1 and daemon


def test_what_it_raises_comes_with_its_traceback_and_leaves_nothing(server):
    assert run(server, """
        class Mine(Exception):
            pass
        def fails():
            raise Mine("no")
        gc.collect()
        gc.disable()
        try:
            try:
                ugreen.run_in_thread(fails)
            except Mine as error:
                names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
                gone = weakref.ref(error)
            # No cycle: it is gone without the collector. The thread may still be on its way out of its frames.
            deadline = time.monotonic() + 20
            while gone() is not None and time.monotonic() < deadline:
                ugreen.sleep(0.001)
            return names[0], names[1], names[-1], gone() is None, all_is_back(threads)
        finally:
            gc.enable()
    """, threads=THREADS) == ["body", "run_in_thread", "fails", True, True]


@pytest.mark.parametrize("name", ["SystemExit", "KeyboardInterrupt", "StopIteration", "GeneratorExit"])
def test_every_kind_of_exception_is_the_callers(server, name):
    assert run(server, """
        import builtins
        kind = getattr(builtins, name)
        def fails():
            raise kind(3)
        try:
            ugreen.run_in_thread(fails)
        except kind as error:
            return error.args, all_is_back(threads)
    """, name=name, threads=THREADS) == [[3], True]


def test_the_context_is_a_copy(server):
    assert run(server, """
        from contextvars import ContextVar
        variable = ContextVar("variable", default="unset")
        variable.set("the request's")
        def fn():
            seen = variable.get()
            variable.set("the thread's")
            return seen
        return ugreen.run_in_thread(fn), variable.get(), ugreen.run_in_thread(fn)
    """) == ["the request's"] * 3


def test_a_neighbour_answers_while_a_call_blocks(server):
    """The call ends only when another request, which begins later, lets it."""
    with background(server.run, "import ugreen\nshared.go, shared.inside = threading.Event(), ugreen.Event()\n"
                    "def fn():\n    shared.inside.set()\n    return shared.go.wait(30)\nreturn ugreen.run_in_thread(fn)") as blocked:
        assert run(server, """
            with ugreen.timeout(20):
                while not hasattr(shared, "inside"):
                    ugreen.sleep(0.001)
            shared.inside.wait()
            shared.go.set()
            return True
        """)
        assert blocked.result(30) is True


def test_500_calls_through_a_few_threads(server):
    calls, most, names, back = run(server, """
        state = {"now": 0, "most": 0}
        names, results, guard = set(), {}, threading.Lock()
        first = threading.Barrier(threads)
        def fn(key):
            with guard:
                state["now"] += 1
                state["most"] = max(state["most"], state["now"])
                names.add(threading.current_thread().name)
            if key[1] == 0 and key[0] < threads:
                first.wait(20)      # all threads are there at once, at least once
            if key[1] % 3 == 0:
                time.sleep(0.0005)
            with guard:
                state["now"] -= 1
            return key
        def worker(number):
            def body():
                for i in range(10):
                    results[number, i] = ugreen.run_in_thread(fn, (number, i))
            return body
        spawn_all([worker(n) for n in range(50)])
        assert all(key == result for key, result in results.items())
        return len(results), state["most"], sorted(names), all_is_back(threads)
    """, threads=THREADS)
    assert (calls, most, back) == (500, THREADS, True)
    assert names == [f"ugreen-thread_{i}" for i in range(THREADS)]


def test_who_waits_first_is_served_first(single):
    assert run(single, """
        go, inside, order = threading.Event(), ugreen.Event(), []
        def block():
            inside.set()
            go.wait(20)
        def call(i):
            def body():
                inside.wait()
                for _ in range(i):
                    ugreen.sleep(0)
                ugreen.run_in_thread(order.append, i)
            return body
        def release():
            while len(_threads._permits._waiters) < 8:
                ugreen.sleep(0)
            go.set()
        spawn_all([lambda: ugreen.run_in_thread(block)] + [call(i) for i in range(8)] + [release])
        return order, all_is_back(1)
    """) == [list(range(8)), True]


def test_a_call_that_has_not_begun_never_does(single):
    assert run(single, """
        go, inside, ran = threading.Event(), ugreen.Event(), []
        def block():
            inside.set()
            go.wait(20)
            return "blocked"
        answers = []
        def late():
            inside.wait()
            with ugreen.timeout(0.01, quiet=True) as limit:
                ugreen.run_in_thread(ran.append, "late")
            answers.append(limit.expired)
            go.set()
        spawn_all([lambda: answers.append(ugreen.run_in_thread(block)), late])
        ugreen.run_in_thread(ran.append, "afterwards")
        return answers, ran, all_is_back(1)
    """) == [[True, "blocked"], ["afterwards"], True]


def test_a_call_that_has_begun_goes_on_and_its_result_is_dropped(server):
    assert run(server, """
        go, ended = threading.Event(), threading.Event()
        def fn():
            go.wait(20)
            ended.set()
            return "dropped"
        abandoned = abandon(fn)
        # It holds its thread until it returns.
        held = len(_threads._permits._permits)
        go.set()
        return abandoned, held, ugreen.run_in_thread(ended.wait, 20), all_is_back(threads)
    """, threads=THREADS) == [True, THREADS - 1, True, True]


def test_what_an_abandoned_call_raises_goes_to_the_excepthook(server):
    start = len(server.log)
    assert run(server, """
        go, heard, hook = threading.Event(), ugreen.Queue(), threading.excepthook
        def fn(text):
            go.wait(20)
            raise LookupError(text)
        def hear(args):
            heard.put((args.exc_type.__name__, str(args.exc_value), args.thread.name, args.exc_traceback is not None))
        threading.excepthook = hear
        try:
            abandon(fn, "heard by the hook")
            go.set()
            answer = heard.get(timeout=20)
        finally:
            threading.excepthook = hook
        go.clear()
        abandon(fn, "printed to the log")
        go.set()
        return answer[0], answer[1], answer[2].rpartition("_")[0], answer[3], all_is_back(threads)
    """, threads=THREADS) == ["LookupError", "heard by the hook", "ugreen-thread", True, True]
    server.wait_log(r"Exception in thread ugreen-thread_\d:\n(.*\n)*?LookupError: printed to the log", start=start)


def test_on_another_os_thread_it_just_calls(single):
    assert run(single, """
        def outer():
            inner = ugreen.run_in_thread(threading.get_ident)      # one thread only: waiting for a second one would be for ever
            return inner == threading.get_ident()
        mine = in_thread(lambda: ugreen.run_in_thread(threading.get_ident) == threading.get_ident())
        return mine, ugreen.run_in_thread(outer), all_is_back(1)
    """) == [True, True, True]


def test_at_import_time_it_just_calls(tmp_path):
    (tmp_path / "early.py").write_text(textwrap.dedent("""
        import threading, ugreen
        here = ugreen.run_in_thread(threading.get_ident) == threading.get_ident()
        def application(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [f"{here} {ugreen.run_in_thread(threading.get_ident) == threading.get_ident()}".encode()]
    """))
    with Server("early", cores=2, options=["--pythonpath", tmp_path]) as s:
        assert s.get("/").text == "True False"


def test_the_default_number_of_threads():
    with Server("run_code", cores=2) as s:
        assert s.run("import _ugreen\nreturn _ugreen.threads") == 32


def test_threads_start_on_demand(single):
    assert run(single, """
        def count():
            return sum(t.name.startswith("ugreen-thread") for t in threading.enumerate())
        before = count()
        ugreen.run_in_thread(int)
        ugreen.run_in_thread(int)
        return before, count()
    """) == [0, 1]


def test_when_no_thread_can_be_started(single):
    """The kernel's refusal is made up here, as Python reports it."""
    assert run(single, """
        start, ran = threading.Thread.start, []
        def refuse(self):
            raise RuntimeError("can't start new thread")
        threading.Thread.start = refuse
        try:
            ugreen.run_in_thread(ran.append, "refused")
        except RuntimeError as error:
            text = str(error)
        finally:
            threading.Thread.start = start
        ugreen.run_in_thread(ran.append, "later")
        return text, ran, all_is_back(1)
    """) == ["can't start new thread", ["later"], True]


def test_a_finalizer_that_waits_in_the_middle_of_a_submission_stops_nobody_else(server):
    """A profile function stands for the finalizer: it runs while the executor holds its locks, and waits. Another green thread that asked for these locks would stop the whole worker."""
    assert run(server, """
        order, waited = [], []
        def wait_inside(frame, event, argument):
            if not waited and event == "call" and frame.f_code.co_name == "_adjust_thread_count":
                waited.append(True)
                sys.setprofile(None)
                order.append("inside")
                ugreen.sleep(0.05)
                order.append("outside")
        def first():
            sys.setprofile(wait_inside)
            ugreen.run_in_thread(int)
            order.append("first")
        def second():
            while not waited:
                ugreen.sleep(0)
            order.append("second asks")
            ugreen.run_in_thread(int)
            order.append("second")
        spawn_all([first, second])
        return order[:3], sorted(order[3:]), all_is_back(threads)
    """, threads=THREADS) == [["inside", "second asks", "outside"], ["first", "second"], True]


def test_functions_about_the_request_need_the_green_thread(server):
    with pytest.raises(Remote) as error:
        run(server, "return ugreen.run_in_thread(uwsgi.cl)")
    assert error.value.kind == "SystemError"


def test_a_thread_speaks_to_green_threads(server):
    assert run(server, """
        there, back = ugreen.Queue(), ugreen.Queue()
        def fn():
            return [(there.put(i), back.get(timeout=20))[1] for i in range(50)]
        def echo():
            for _ in range(50):
                back.put(there.get(timeout=20) * 2)
        answers = []
        spawn_all([lambda: answers.extend(ugreen.run_in_thread(fn)), echo])
        return answers
    """) == [2 * i for i in range(50)]


@pytest.mark.parametrize("seed", range(6))
def test_random_schedules(server, seed):
    """Calls that return, raise or take a while, time limits and interrupts at any moment: every call that ran was one, results are the callers' own, every permit comes back."""
    counts = run(server, """
        state = {"returned": 0, "raised": 0, "timed out": 0, "poked": 0, "most": 0}
        inside, guard, begun, ids, finished, unheard = [0], threading.Lock(), {}, {}, [], []

        class Mine(Exception):
            pass

        def fn(key, seconds, fails):
            with guard:
                assert begun.setdefault(key, 0) == 0
                begun[key] += 1
                inside[0] += 1
                state["most"] = max(state["most"], inside[0])
            if seconds:
                time.sleep(seconds)
            with guard:
                inside[0] -= 1
            if fails:
                raise Mine(key)
            return key

        def worker(number):
            r = random.Random(seed * 1000 + number)
            def body():
                ids[number] = _ugreen.green_id()
                for i in range(25):
                    key, fails = (number, i), r.random() < 0.2
                    try:
                        with ugreen.timeout(r.choice([None, None, 0, 0.0003, 0.002])):
                            assert ugreen.run_in_thread(fn, key, r.choice([0, 0, 0.0005, 0.002]), fails) == key and not fails
                        state["returned"] += 1
                    except Mine as error:
                        assert error.args == (key,) and fails
                        state["raised"] += 1
                    except ugreen.Timeout:
                        state["timed out"] += 1
                    except Poke:
                        state["poked"] += 1
                ids.pop(number, None)
                finished.append(number)
            return body

        def poker():
            r = random.Random(seed)
            while len(finished) < 20:
                ugreen.sleep(r.random() / 300)
                if ids:
                    _ugreen.interrupt(r.choice(list(ids.values())), Poke())

        hook, threading.excepthook = threading.excepthook, lambda args: unheard.append(args.exc_value)
        try:
            spawn_all([worker(i) for i in range(20)] + [poker])
            state["back"] = all_is_back(threads)
            # The last thread gives its permit back just before it tells what nobody heard.
            ugreen.run_in_thread(int)
        finally:
            threading.excepthook = hook
        assert all(isinstance(error, Mine) for error in unheard), unheard
        state["calls"] = state["returned"] + state["raised"] + state["timed out"] + state["poked"]
        return state
    """, seed=seed, threads=THREADS)
    assert counts["calls"] == 500 and counts["back"] is True
    assert counts["most"] <= THREADS and counts["returned"] and counts["timed out"] and counts["poked"]


LEAVING = """
    import atexit
    inside, never = ugreen.Event(), threading.Event()
    def fn():
        inside.set()
        never.wait(100)
    atexit.register(lambda: (print("atexit ran"), never.set() if ends else None, time.sleep(0)))
    if abandoned:
        return abandon(fn)
    _ugreen.spawn(lambda: (inside.wait(), print("the call blocks")))
    return ugreen.run_in_thread(fn)
"""


def test_a_call_that_nobody_waits_for_does_not_hold_up_the_end():
    with Server("run_code", cores=4) as s:
        assert run(s, LEAVING, abandoned=True, ends=False) is True
        s.send_signal(signal.SIGTERM)
        # Far less than the 100 seconds of the call.
        assert s.wait_exit() == 0
        assert "atexit ran" in s.log


@pytest.mark.parametrize("ends", [False, True], ids=["for ever", "until atexit"])
def test_a_request_that_waits_for_a_call_is_cut_off_as_any_other(ends):
    """With ``ends`` the call returns when the hub has ended: the thread then wakes a green thread that nobody runs any more."""
    with Server("run_code", cores=4, options=["--shutdown-timeout", 1]) as s, background(lambda: pytest.raises(Exception, run, s, LEAVING, abandoned=False, ends=ends)):
        s.wait_log("the call blocks")
        s.send_signal(signal.SIGTERM)
        assert s.wait_exit() == 0
        assert "still ran after 1 s and are cut off" in s.log and "atexit ran" in s.log
