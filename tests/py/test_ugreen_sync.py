"""The package ``ugreen``: events, locks, queues and time limits on green threads. The code under test runs in the server; see serving.Server.run."""

import json
import textwrap

import pytest

from serving import Remote, Server, read_until

HELPERS = '''
import random, sys, threading
import _ugreen, ugreen

def spawn_all(functions):
    """Run each on a green thread of its own and wait for all; what one raises is raised here."""
    left, errors, done = [len(functions)], [], ugreen.Event()
    def wrap(function):
        def run():
            try:
                function()
            except BaseException as error:
                errors.append(error)
            finally:
                left[0] -= 1
                if not left[0]:
                    done.set()
        return run
    for function in functions:
        _ugreen.spawn(wrap(function))
    assert done.wait(20), f"{left[0]} of {len(functions)} still wait"
    if errors:
        raise errors[0]

def in_thread(function):
    """Run it on another OS thread; its result, waited for by this green thread."""
    queue = ugreen.Queue()
    def run():
        try:
            queue.put((function(), None))
        except BaseException as error:
            queue.put((None, error))
    threading.Thread(target=run, daemon=True).start()
    result, error = queue.get(timeout=20)
    if error is not None:
        raise error
    return result
'''


@pytest.fixture(scope="module")
def server():
    with Server("run_code", cores=40) as s:
        yield s


def run(server, code, **values):
    return server.run(HELPERS + textwrap.dedent(code), **values)


def test_an_event_wakes_all_that_wait(server):
    assert run(server, """
        event, woken = ugreen.Event(), []
        def wait():
            woken.append(event.wait())
        def go():
            ugreen.sleep(0)
            assert woken == []
            event.set()
        spawn_all([wait] * 10 + [go])
        return woken, event.is_set(), event.wait(0)
    """) == [[True] * 10, True, True]


def test_an_event_that_does_not_come(server):
    waited, result = run(server, """
        import time
        start = time.monotonic()
        result = ugreen.Event().wait(0.05)
        return time.monotonic() - start, result
    """)
    assert result is False
    assert waited >= 0.05


def test_a_lock_serves_in_order_of_arrival(server):
    assert run(server, """
        lock, order = ugreen.Lock(), []
        def take(i):
            def body():
                for _ in range(i):
                    ugreen.sleep(0)
                with lock:
                    order.append(i)
                    ugreen.sleep(0.001)
            return body
        spawn_all([take(i) for i in range(8)])
        return order, lock.locked()
    """) == [list(range(8)), False]


def test_a_lock_is_not_taken_past_those_who_wait(server):
    assert run(server, """
        lock, order = ugreen.Lock(), []
        lock.acquire()
        def waiter():
            with lock:
                order.append("waiter")
        def releaser():
            ugreen.sleep(0)
            lock.release()
            got = lock.acquire(blocking=False)
            order.append(got)
            if got: lock.release()
        spawn_all([waiter, releaser])
        return order
    """) == [False, "waiter"]


def test_wrong_releases(server):
    for code, kind in [("ugreen.Lock().release()", "RuntimeError"), ("ugreen.RLock().release()", "RuntimeError"),
                       ("ugreen.BoundedSemaphore(1).release()", "ValueError"), ("ugreen.Semaphore(-1)", "ValueError"),
                       ("ugreen.Condition().notify()", "RuntimeError"), ("ugreen.Condition().wait(0)", "RuntimeError"), ("ugreen.Queue().task_done()", "ValueError")]:
        with pytest.raises(Remote) as error:
            run(server, code)
        assert error.value.kind == kind, code


#: What both are asked for, each on an object that is free and on one that is taken; "make" stands for the class.
ARGUMENT_CHECKS = [
    *[(kind, f"x.acquire({arguments})") for kind in ("Lock()", "RLock()", "Semaphore(1)", "BoundedSemaphore(1)") for arguments in
      ("False, 1", "False, 0", "blocking=False, timeout=0.5", "False, -2", "True, 0", "timeout=0.001", "False", "0, 1", "timeout='x'")],
    *[(kind, f"x.acquire({arguments})") for kind in ("Lock()", "RLock()") for arguments in ("True, -2", "timeout=-0.5", "False, -1", "timeout=1e20", "timeout=float('inf')", "True, float('nan')")],
    *[(kind, f"x.release({n})") for kind in ("Semaphore(1)", "BoundedSemaphore(1)") for n in (0, -1)],
    ("BoundedSemaphore(1)", "x.release(2)"), ("Semaphore(-1)", "x"), ("BoundedSemaphore(-1)", "x"),
    *[("Queue(1)", f"x.{call}") for call in ("put(1, timeout=-1)", "put(1, True, -0.5)", "put(1, False, -1)", "put(1, False, 1)", "get(timeout=-1)", "get(True, -0.5)", "get(False, -1)", "get(False, 1)",
                                             "get(timeout=0)", "task_done()")],
    ("Condition()", "x.wait(0)"), ("Condition()", "x.wait_for(lambda: True, 0)"), ("Condition()", "x.notify()"), ("Condition()", "x.notify_all()"),
    ("Event()", "x.wait(0)"), ("Event()", "x.wait(-1)"), ("Event()", "x.wait(float('nan'))"), ("Event()", "x.wait('x')"),
]


def test_arguments_are_checked_as_threadings_are(server):
    """What it raises there it raises here, whether the object is free or taken. A time that is not a number is never taken for one."""
    found = run(server, """
        import queue, threading, types
        theirs = types.SimpleNamespace(**{**vars(threading), "Queue": queue.Queue})
        def outcome(module, kind, call, taken):
            try:
                x = eval("module." + kind, {"module": module})
                if taken:
                    prepare = getattr(x, "acquire", None) or (lambda: x.put(0)) if hasattr(x, "put") or "Lock" in kind or "Sem" in kind else None
                    if prepare: prepare()
                return repr(eval(call, {"x": x})) if "acquire" in call or "wait" in call else "done"
            except Exception as error:
                return type(error).__name__
        return [[kind, call, taken, outcome(theirs, kind, call, taken), outcome(ugreen, kind, call, taken)] for kind, call in checks for taken in (False, True)]
    """, checks=ARGUMENT_CHECKS)
    # A NaN or a text as the time: theirs look at it only when they come to wait.
    other = [line for line in found if line[3] != line[4] and not (line[4] in ("ValueError", "TypeError") and ("nan" in line[1] or "'x'" in line[1]))]
    assert other == []


def test_an_rlock_belongs_to_its_green_thread(server):
    assert run(server, """
        lock, seen = ugreen.RLock(), []
        def first():
            with lock, lock:
                ugreen.sleep(0.01)
                seen.append("first")
        def second():
            seen.append(lock.acquire(blocking=False))
            with lock:
                seen.append("second")
        spawn_all([first, second])
        return seen
    """) == [False, "first", "second"]


def test_a_timed_out_acquire_leaves_nobody_behind(server):
    assert run(server, """
        lock = ugreen.Lock()
        lock.acquire()
        assert lock.acquire(timeout=0.01) is False
        assert not lock._waiters
        lock.release()
        return lock.acquire(timeout=0)
    """) is True


def test_condition(server):
    assert run(server, """
        condition, items, got = ugreen.Condition(), [], []
        def consumer():
            with condition:
                got.append(condition.wait_for(lambda: items and items.pop(0), 5))
        def producer():
            for i in range(1, 4):
                ugreen.sleep(0.001)
                with condition:
                    items.append(i)
                    condition.notify()
        spawn_all([consumer] * 3 + [producer])
        with condition:
            late = condition.wait(0.01)
        return sorted(got), late
    """) == [[1, 2, 3], False]


def test_a_bounded_queue(server):
    assert run(server, """
        queue, got = ugreen.Queue(2), []
        def put():
            for i in range(20):
                queue.put(i)
        def get():
            for i in range(20):
                got.append(queue.get())
                assert queue.qsize() <= 2
                queue.task_done()
        spawn_all([put, get])
        assert queue.join(1)
        for wrong, call in ((ugreen.Empty, queue.get_nowait), (ugreen.Empty, lambda: queue.get(timeout=0.01))):
            try:
                call()
            except wrong:
                pass
            else:
                raise AssertionError(call)
        queue.put(1); queue.put(2)
        try:
            queue.put(3, timeout=0.01)
        except ugreen.Full:
            return got, queue.full()
    """) == [list(range(20)), True]


@pytest.mark.parametrize("seed", range(8))
def test_random_schedules_of_locks_semaphores_and_queues(server, seed):
    """Each green thread acts and waits as a seeded generator says, with short time-outs and interrupts in between; the invariants are checked at every step."""
    counts = run(server, """
        rnd = random.Random(seed)
        lock, semaphore, queue, condition = ugreen.Lock(), ugreen.Semaphore(3), ugreen.Queue(4), ugreen.Condition()
        state = {"in_lock": 0, "in_semaphore": 0, "put": 0, "got": 0, "interrupted": 0, "timed_out": 0}
        ids, finished = {}, []

        class Poke(Exception):
            pass

        def maybe_wait(r):
            choice = r.randrange(4)
            if choice == 0: ugreen.sleep(0)
            elif choice == 1: ugreen.sleep(r.random() / 2000)

        def use_lock(r):
            if not lock.acquire(timeout=r.choice([-1, 0, 0.0005])):
                state["timed_out"] += 1
                return
            try:
                state["in_lock"] += 1
                assert state["in_lock"] == 1
                maybe_wait(r)
            finally:
                state["in_lock"] -= 1
                lock.release()

        def use_semaphore(r):
            if not semaphore.acquire(timeout=r.choice([None, 0, 0.0005])):
                state["timed_out"] += 1
                return
            try:
                state["in_semaphore"] += 1
                assert state["in_semaphore"] <= 3
                maybe_wait(r)
            finally:
                state["in_semaphore"] -= 1
                semaphore.release()

        def use_queue(r):
            try:
                if r.random() < 0.5:
                    queue.put(1, timeout=0.0005)
                    state["put"] += 1
                else:
                    queue.get(timeout=0.0005)
                    state["got"] += 1
            except (ugreen.Full, ugreen.Empty):
                state["timed_out"] += 1
            assert queue.qsize() <= 4

        def use_condition(r):
            with condition:
                if r.random() < 0.5: condition.notify_all()
                else: condition.wait(0.0005)

        def worker(number):
            r = random.Random(seed * 1000 + number)
            def body():
                ids[number] = _ugreen.green_id()
                for _ in range(60):
                    try:
                        r.choice([use_lock, use_semaphore, use_queue, use_condition])(r)
                    except Poke:
                        state["interrupted"] += 1
                finished.append(number)
                ids.pop(number, None)
            return body

        def poker():
            while len(finished) < 12:
                ugreen.sleep(rnd.random() / 1000)
                if ids:
                    _ugreen.interrupt(rnd.choice(list(ids.values())), Poke())

        spawn_all([worker(i) for i in range(12)] + [poker])
        # Whoever gave up left nothing behind, and nothing was lost.
        assert not lock.locked() and lock.acquire(timeout=0)
        assert len(semaphore._permits) == 3 and not semaphore._waiters and not lock._waiters and not condition._waiters
        assert not queue._there._waiters and not queue._room._waiters
        assert len(queue._there._permits) == queue.qsize() and len(queue._room._permits) == 4 - queue.qsize()
        return state
    """, seed=seed)
    assert counts["interrupted"] > 0 and counts["timed_out"] > 0 and counts["put"] > 0
    assert counts["in_lock"] == counts["in_semaphore"] == 0


def test_between_os_threads_and_green_threads(server):
    assert run(server, """
        event, queue, lock = ugreen.Event(), ugreen.Queue(), ugreen.Lock()
        lock.acquire()
        def foreign():
            queue.put("from the thread")
            assert event.wait(10)
            with lock:
                return "foreign done"
        results = []
        def green():
            results.append(queue.get(timeout=10))
            event.set()
            ugreen.sleep(0.01)
            lock.release()
        def waits():
            results.append(in_thread(foreign))
        spawn_all([waits, green])
        return results
    """) == ["from the thread", "foreign done"]


def test_many_foreign_puts_all_arrive(server):
    assert run(server, """
        queue = ugreen.Queue(10)
        def producer(n):
            return lambda: [queue.put((n, i)) for i in range(300)]
        threads = [threading.Thread(target=producer(n)) for n in range(4)]
        for t in threads: t.start()
        got = [queue.get(timeout=20) for _ in range(1200)]
        for t in threads: t.join()
        # Each thread's own items come in their order.
        return all([i for m, i in got if m == n] == list(range(300)) for n in range(4)), queue.empty()
    """) == [True, True]


def test_sleep_lets_others_run_and_lasts(server):
    order, waited = run(server, """
        import time
        order = []
        def long():
            ugreen.sleep(0.03)
            order.append("long")
        def short():
            ugreen.sleep(0.01)
            order.append("short")
        def none():
            ugreen.sleep(0)
            order.append("none")
        start = time.monotonic()
        spawn_all([long, short, none])
        return order, time.monotonic() - start
    """)
    assert order == ["none", "short", "long"] and waited >= 0.03


def test_a_timeout_raises_where_the_green_thread_waits(server):
    assert run(server, """
        import time
        seen = []
        for wait in (lambda: ugreen.sleep(10), lambda: ugreen.Event().wait(), lambda: ugreen.Queue().get(), lambda: (uwsgi.async_sleep(10), uwsgi.suspend())):
            start = time.monotonic()
            try:
                with ugreen.timeout(0.02) as limit:
                    wait()
            except TimeoutError as error:
                seen.append((type(error).__name__, error.seconds, error.timeout is limit, limit.expired, 0.02 <= time.monotonic() - start < 5))
        return seen
    """) == [["Timeout", 0.02, True, True, True]] * 4


def test_a_timeout_in_time_leaves_nothing(server):
    assert run(server, """
        for i in range(200):
            with ugreen.timeout(0.005) as limit:
                ugreen.sleep(0)
            assert not limit.expired
        with ugreen.timeout(None):
            ugreen.sleep(0.02)
        with ugreen.timeout(0.001, quiet=True) as quiet:
            ugreen.sleep(1)
        # Over while it computed, and the block ended without a wait: nothing may be raised later.
        import time
        with ugreen.timeout(0.001) as busy:
            end = time.monotonic() + 0.005
            while time.monotonic() < end: pass
        ugreen.sleep(0.01)
        return quiet.expired, busy.expired
    """) == [True, False]


def test_nested_timeouts_know_their_own(server):
    assert run(server, """
        seen = []
        with ugreen.timeout(0.02, quiet=True) as outer:
            try:
                with ugreen.timeout(1) as inner:
                    ugreen.sleep(5)
            except ugreen.Timeout as error:
                seen.append(error.timeout is outer)
                raise
        seen.append((outer.expired, inner.expired))
        with ugreen.timeout(5) as outer:
            with ugreen.timeout(0.01, quiet=True) as inner:
                ugreen.sleep(1)
            seen.append((outer.expired, inner.expired))
        return seen
    """) == [True, [True, False], [False, True]]


def test_a_timeout_ends_a_flush_that_waits_for_a_slow_client(server):
    body = """
        import ugreen
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        try:
            with ugreen.timeout(0.2):
                while True:
                    write(b"y" * 65536)
        except ugreen.Timeout:
            shared.timed_out = True
            raise
    """
    with server.connect(receive_buffer=4096) as s:
        header = json.dumps({"code": textwrap.dedent(body), "values": {}})
        s.sendall(f"GET / HTTP/1.1\r\nHost: x\r\nX-Code: {header}\r\n\r\n".encode())
        assert run(server, """
            with ugreen.timeout(20):
                while not getattr(shared, "timed_out", False):
                    ugreen.sleep(0.01)
            return True
        """)


def test_a_timeout_ends_a_read_that_waits_for_a_slow_client(server):
    body = """
        import ugreen
        with ugreen.timeout(0.2):
            return environ["wsgi.input"].read()
    """
    with server.connect() as s:
        header = json.dumps({"code": textwrap.dedent(body), "values": {}})
        s.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\nX-Code: {header}\r\n\r\nabc".encode())
        answer = read_until(s, b"}")
        assert b'"error": "Timeout"' in answer, answer


def test_outside_green_threads(server):
    assert run(server, """
        def body():
            seen = []
            for call in (lambda: _ugreen.park(0), lambda: ugreen.timeout(1).__enter__()):
                try:
                    call()
                except RuntimeError as error:
                    seen.append("green thread" in str(error))
            ugreen.sleep(0.001)
            return seen, ugreen.Event().wait(0.001), _ugreen.green_id()
        return in_thread(body)
    """) == [[True, True], False, -1]


@pytest.mark.parametrize("code", ["_ugreen.park('x')", "_ugreen.park(float('nan'))", "_ugreen.unpark('x')", "_ugreen.interrupt(_ugreen.green_id(), KeyError)", "_ugreen.deadline(1, 2)", "_ugreen.deadline('x', KeyError())"])
def test_wrong_arguments(server, code):
    with pytest.raises(Remote) as error:
        run(server, code)
    assert error.value.kind in ("TypeError", "ValueError")
