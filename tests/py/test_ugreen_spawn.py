"""Green threads that the application starts: spawn, join, kill, Pool, current, dump. The code under test runs in the server; see serving.Server.run."""

import re
import signal

import pytest

from serving import PATIENCE, Control, Remote, Server, background, many, until

SPAWN_CORES = 60


@pytest.fixture(scope="module")
def server():
    with Server("run_code", cores=10, options=["--ugreen-spawn-max", SPAWN_CORES]) as s:
        yield s


def run(server, code, **values):
    return server.run("import ugreen, weakref, gc\n" + code, **values)


@pytest.fixture(autouse=True)
def _all_spawn_cores_come_back(server):
    yield
    until(lambda: run(server, "return [g for g in __import__('_ugreen').greens() if g[3] is None]") == [], "the spawned green threads of the test to end")
    assert run(server, """
event = ugreen.Event()
threads = [ugreen.spawn(event.wait, 20) for _ in range(count)]
event.set()
return all(thread.result(20) for thread in threads)
""", count=SPAWN_CORES) is True


def test_results_and_exceptions(server):
    assert run(server, """
def add(a, b=0):
    ugreen.sleep(0)
    return a + b
def fail():
    raise ValueError("no")
good, bad = ugreen.spawn(add, 1, b=2), ugreen.spawn(fail)
states = [good.done(), good.id, good.name, good.is_request]
error = bad.exception(10)
try:
    bad.result()
except ValueError as again:
    same = again is error
return states, good.result(10), good.done(), good.exception(), same, good.join()
""") == [[False, -1, "body.<locals>.add", False], 3, True, None, True, True]


def test_a_failed_one_holds_nothing_of_its_call(server):
    """Without a collection: its exception and it do not hold each other, and what it was given is free once it is."""
    assert run(server, """
class Thing: pass
def fail(thing):
    raise ValueError("no")
gc.disable()
try:
    thing = Thing()
    gone = weakref.ref(thing)
    thread = ugreen.spawn(fail, thing)
    try:
        thread.result(10)
    except ValueError:
        pass
    handle = weakref.ref(thread)
    del thing, thread
    ugreen.sleep(0)
    return gone() is None, handle() is None
finally:
    gc.enable()
""") == [True, True]


def test_it_begins_when_the_caller_waits(server):
    assert run(server, """
order = []
thread = ugreen.spawn(order.append, "spawned")
order.append("caller")
thread.join()
return order
""") == ["caller", "spawned"]


def test_an_exception_that_nobody_waits_for_is_in_the_log_with_its_place(server):
    mark = len(server.log)
    run(server, """
def lonely():
    raise LookupError("nobody hears")
ugreen.spawn(lonely)
ugreen.sleep(0)
""")
    server.wait_log(r"LookupError: nobody hears", start=mark)
    told = server.log[mark:]
    assert "the green thread body.<locals>.lonely failed" in told and "in lonely" in told and "_green.py" not in told


def test_an_exception_that_somebody_waits_for_is_not_in_the_log(server):
    mark = len(server.log)
    assert run(server, """
def fail():
    ugreen.sleep(0.001)
    raise LookupError("somebody hears")
try:
    ugreen.spawn(fail).result(10)
except LookupError as error:
    return str(error)
""") == "somebody hears"
    assert "somebody hears" not in server.log[mark:]


def test_waits_for_the_end_have_limits(server):
    assert run(server, """
event = ugreen.Event()
thread = ugreen.spawn(event.wait)
joined = thread.join(0.01)
try:
    thread.result(0.01)
except ugreen.Timeout as error:
    text = str(error), isinstance(error, TimeoutError)
event.set()
return joined, text, thread.result(10), len(thread._joiners)
""") == [False, ["timed out after 0.01 seconds", True], True, 0]


def test_one_cannot_wait_for_oneself_or_a_request(server):
    assert run(server, """
def self_join():
    ugreen.current().join()
texts = []
for call in (ugreen.spawn(self_join).result, ugreen.current().join):
    try:
        call()
    except RuntimeError as error:
        texts.append(str(error))
return texts
""") == ["a green thread cannot wait for its own end"] * 2
    assert run(server, """
me = ugreen.current()
def join_it():
    me.join()
try:
    ugreen.spawn(join_it).result(10)
except RuntimeError as error:
    return str(error), me.is_request, me is ugreen.current(), me.name
""") == ["the end of a request cannot be waited for", True, True, "POST /"]


@pytest.mark.parametrize("wait", [
    "ugreen.sleep(60)", "ugreen.Event().wait()", "ugreen.Queue().get()", "ugreen.wait_read(pipe()[0])", "uwsgi.suspend_on()", "ugreen.spawn(ugreen.sleep, 0.05).join(60)",
    "ugreen.Condition().wait_for_ever()",
])
def test_kill_ends_any_wait_and_runs_finally(server, wait):
    assert run(server, f"""
done = []
def suspend_on():
    uwsgi.wait_fd_read(pipe()[0])
    while True:
        uwsgi.suspend()
def wait_for_ever(condition):
    with condition:
        condition.wait()
uwsgi.suspend_on = suspend_on
ugreen.Condition.wait_for_ever = wait_for_ever
def waits():
    try:
        {wait}
    except Exception as error:
        done.append(repr(error))
    finally:
        done.append("finally")
thread = ugreen.spawn(waits)
ugreen.sleep(0)
thread.kill()
joined = thread.join(20)
try:
    thread.result()
except ugreen.Killed as error:
    return joined, done, str(error), isinstance(thread.exception(), ugreen.GreenExit)
""") == [True, ["finally"], "the green thread body.<locals>.waits was killed", True]


def test_killed_before_it_began_it_never_begins(server):
    assert run(server, """
ran = []
thread = ugreen.spawn(ran.append, 1)
thread.kill()
return thread.join(10), ran, type(thread.exception()).__name__
""") == [True, [], "GreenExit"]


def test_kill_with_an_exception_of_ones_own_and_after_the_end(server):
    assert run(server, """
thread = ugreen.spawn(ugreen.sleep, 60)
ugreen.sleep(0)
thread.kill(KeyError("mine"))
error = repr(thread.exception(10))
thread.kill()
try:
    thread.kill("x")
except TypeError as wrong:
    return error, repr(thread.exception()), str(wrong)
""") == ["KeyError('mine')", "KeyError('mine')", "kill(): an exception object is expected"]


def test_a_kill_is_not_lost_beside_a_time_limit(server):
    """Both want to be raised in the same wait: the kill counts, whichever came first."""
    assert run(server, """
import _ugreen
def limited():
    try:
        with ugreen.timeout(60):
            ugreen.sleep(60)
    except TimeoutError:
        return "timed out"
thread = ugreen.spawn(limited)
ugreen.sleep(0)
first = _ugreen.interrupt(thread.id, TimeoutError("first"))
thread.kill()
return first, type(thread.exception(10)).__name__
""") == [True, "GreenExit"]


def test_who_kills_itself_ends_in_its_next_wait(server):
    assert run(server, """
ended = []
def suicidal():
    ugreen.current().kill()
    ended.append("computes on")
    try:
        ugreen.sleep(60)
        ended.append("waited")
    finally:
        ended.append("finally")
thread = ugreen.spawn(suicidal)
return thread.join(20), ended, type(thread.exception()).__name__
""") == [True, ["computes on", "finally"], "GreenExit"]


def test_what_swallows_a_kill_goes_on(server):
    assert run(server, """
def stubborn():
    try:
        ugreen.sleep(60)
    except ugreen.GreenExit:
        return "still here"
thread = ugreen.spawn(stubborn)
ugreen.sleep(0)
thread.kill()
return thread.result(10)
""") == "still here"


def test_the_limit(server):
    kind, text, count = run(server, """
event, threads = ugreen.Event(), []
try:
    while True:
        threads.append(ugreen.spawn(event.wait))
except ugreen.SpawnLimit as error:
    event.set()
    for thread in threads: thread.join(10)
    return type(error).__mro__[1].__name__, str(error), len(threads)
""")
    assert (kind, count) == ("RuntimeError", SPAWN_CORES) and "--ugreen-spawn-max" in text


def test_wrong_arguments(server):
    with pytest.raises(Remote, match="TypeError: spawn\\(\\): the function is not callable, it is a int"):
        run(server, "ugreen.spawn(3)")
    with pytest.raises(Remote, match="TypeError"):
        run(server, "ugreen.spawn()")
    with pytest.raises(Remote, match="ValueError: Pool"):
        run(server, "ugreen.Pool(0)")


def test_spawned_ones_have_no_request_and_cores_of_their_own(server):
    assert run(server, """
import contextvars, threading
variable = contextvars.ContextVar("v", default="fresh")
variable.set("the request's")
def look():
    try:
        uwsgi.request_id()
    except SystemError as error:
        return uwsgi.async_id() >= uwsgi.cores, variable.get(), str(error), threading.current_thread().name.startswith("ugreen-core-")
def handed_on():
    return variable.get()
return ugreen.spawn(look).result(10), ugreen.spawn(contextvars.copy_context().run, handed_on).result(10)
""") == [[True, "fresh", "you can call uwsgi api function only from the main callable", True], "the request's"]


def test_requests_never_wait_for_spawned_ones(server):
    """All spawn cores taken: as many requests as there are cores still run at once."""
    assert run(server, """
shared.event = ugreen.Event()
shared.threads = [ugreen.spawn(shared.event.wait) for _ in range(count)]
return len(shared.threads)
""", count=SPAWN_CORES) == SPAWN_CORES
    assert len(many(10, lambda i: server.run("return meet('all', 10)"))) == 10
    run(server, "shared.event.set()\nfor t in shared.threads: t.join(10)")


def test_values_of_an_ended_green_thread_are_released(server):
    assert run(server, """
import contextvars
class Thing: pass
variable = contextvars.ContextVar("v2")
def hold():
    thing = Thing()
    variable.set(thing)
    return weakref.ref(thing)
reference = ugreen.spawn(hold).result(10)
class Argument: pass
argument = Argument()
gone = weakref.ref(argument)
ugreen.spawn(id, argument).join()
del argument
ugreen.sleep(0)
gc.collect()
return reference() is None, gone() is None
""") == [True, True]


def test_a_finalizer_that_spawns_while_its_green_thread_is_taken_down(server):
    """The values of a context are released when its green thread has ended: what spawns then must not confuse the two."""
    assert run(server, """
import contextvars
variable = contextvars.ContextVar("v3", default=None)
spawned = []
class Spawner:
    def __del__(self):
        spawned.append(ugreen.spawn(lambda: variable.get()))
def work(n):
    variable.set([n, Spawner()])
    ugreen.sleep(0)
threads = [ugreen.spawn(work, n) for n in range(20)]
for thread in threads: thread.join(20)
while len(spawned) < 20:
    ugreen.sleep(0.001)
return [thread.result(20) for thread in spawned], variable.get()
""") == [[None] * 20, None]


def test_from_other_os_threads_and_at_import_time(server):
    assert run(server, """
def work(n):
    ugreen.sleep(0.001)
    return n * 2
queue = ugreen.Queue()
def foreign():
    mine = [ugreen.spawn(work, n) for n in range(5)]
    queue.put([thread.result(20) for thread in mine])
    killed = ugreen.spawn(ugreen.sleep, 60)
    killed.kill()
    queue.put(killed.join(20))
threading.Thread(target=foreign, daemon=True).start()
return queue.get(timeout=20), queue.get(timeout=20)
""") == [[0, 2, 4, 6, 8], True]


def test_the_limit_holds_for_other_os_threads(server):
    assert run(server, """
event, queue = ugreen.Event(), ugreen.Queue()
def foreign():
    threads = []
    try:
        while len(threads) < 10 * count:
            threads.append(ugreen.spawn(event.wait))
    except ugreen.SpawnLimit:
        pass
    queue.put(threads)
threading.Thread(target=foreign, daemon=True).start()
threads = queue.get(timeout=20)
event.set()
return len(threads), all(thread.result(20) for thread in threads)
""", count=SPAWN_CORES) == [SPAWN_CORES, True]


def test_dump_shows_each_with_its_stack(server):
    text = run(server, """
def in_event(): ugreen.Event().wait()
def in_read(): ugreen.wait_read(reader)
def in_suspend():
    uwsgi.wait_fd_read(reader)
    uwsgi.suspend()
reader, writer = pipe()
threads = [ugreen.spawn(f) for f in (in_event, in_read, in_suspend)]
ugreen.sleep(0)
queue = ugreen.Queue()
threading.Thread(target=lambda: queue.put(ugreen.dump()), daemon=True).start()
outside = queue.get(timeout=20)
late = ugreen.spawn(in_event)
text = ugreen.dump()
for thread in [*threads, late]: thread.kill()
for thread in [*threads, late]: thread.join()
return text, outside
""")
    inside, outside = text
    for dumped in text:
        for name, state in (("in_event", "waits for another thread or a time"), ("in_read", "waits for a file descriptor"), ("in_suspend", "in suspend()")):
            assert f"spawned body.<locals>.{name}: {state}" in dumped, dumped
            assert f", in {name}\n" in dumped, dumped
        assert "/ugreen/_" not in dumped, dumped
    assert "POST /: calls dump()" in inside and ", in body\n" in inside and "(has not begun)" in inside
    assert re.search("POST /: (running|waits for another thread or a time|in sem_wait)", outside)


def test_dump_while_a_request_computes(server):
    """From a watchdog thread, while the hub thread is inside Python code that has let go of the GIL for a moment."""
    assert "in spin" in run(server, """
import _ugreen
queue, spinning = [], threading.Event()
def spin():
    spinning.set()
    while not queue:
        pass
def watch():
    spinning.wait(20)
    queue.append(ugreen.dump())
threading.Thread(target=watch, daemon=True).start()
spin()
return queue[0]
""")


def test_a_pool_keeps_its_size(server):
    assert run(server, """
running, most, pool = [], [0], ugreen.Pool(4)
def work(n):
    running.append(n)
    most[0] = max(most[0], len(running))
    ugreen.sleep(0.001 * (n % 3))
    running.remove(n)
    return n
with pool:
    threads = [pool.spawn(work, n) for n in range(30)]
    in_pool = len(pool)
return [thread.result() for thread in threads] == list(range(30)), most, in_pool <= 4, len(pool), pool.join(0)
""") == [True, [4], True, 0, True]


def test_map_and_imap_unordered(server):
    assert run(server, """
def work(n):
    ugreen.sleep(0.002 * (5 - n % 5))
    return n * n
pool = ugreen.Pool(3)
read = []
def items():
    for n in range(12):
        read.append(n)
        yield n
first = next(iter(pool.imap_unordered(work, items())))
early = len(read)
return pool.map(work, range(12)), sorted(pool.imap_unordered(work, range(12))), pool.map(work, []), early <= 4, pool.join(10), len(pool._slots._permits)
""") == [[n * n for n in range(12)], sorted(n * n for n in range(12)), [], True, True, 3]


def test_the_first_exception_ends_a_map_and_nothing_is_left_behind(server):
    mark = len(server.log)
    assert run(server, """
begun, ended = [], []
def work(n):
    begun.append(n)
    try:
        if n == 2:
            raise KeyError("two")
        ugreen.sleep(60)
    finally:
        ended.append(n)
pool = ugreen.Pool(3)
try:
    pool.map(work, range(100))
except KeyError as error:
    return repr(error), sorted(begun), sorted(ended), len(pool), len(pool._slots._permits)
""") == ["KeyError('two')", [0, 1, 2], [0, 1, 2], 0, 3]
    assert "two" not in server.log[mark:]


def test_a_pool_block_that_fails_kills_what_runs(server):
    assert run(server, """
try:
    with ugreen.Pool(2) as pool:
        thread = pool.spawn(ugreen.sleep, 60)
        ugreen.sleep(0)
        1 / 0
except ZeroDivisionError:
    return thread.done(), type(thread.exception()).__name__, len(pool)
""") == [True, "GreenExit", 0]


def test_a_killed_wait_for_a_place_takes_none(server):
    assert run(server, """
pool = ugreen.Pool(1)
first = pool.spawn(ugreen.sleep, 60)
waits = ugreen.spawn(pool.spawn, print)
ugreen.sleep(0)
waits.kill()
waits.join(10)
first.kill()
return pool.join(10), len(pool._slots._permits), pool.spawn(lambda: "works").result(10)
""") == [True, 1, "works"]


@pytest.mark.parametrize("seed", range(3))
def test_random_kills(server, seed):
    """Green threads that lock, queue, spawn and are killed at random moments: nobody hangs, nothing is lost, all cores come back."""
    assert run(server, """
import random
rnd = random.Random(seed)
lock, queue, pool = ugreen.Lock(), ugreen.Queue(3), ugreen.Pool(5)
def work(n):
    r = random.Random(seed * 1000 + n)
    for _ in range(20):
        what = r.randrange(5)
        if what == 0:
            with lock: ugreen.sleep(0.0002)
        elif what == 1:
            try: queue.put(n, timeout=0.001)
            except ugreen.Full: pass
        elif what == 2:
            try: queue.get(timeout=0.001)
            except ugreen.Empty: pass
        elif what == 3:
            pool.spawn(ugreen.sleep, 0.0003)
        else:
            ugreen.sleep(r.random() / 2000)
    return n
threads = [ugreen.spawn(work, n) for n in range(30)]
while not all(thread.done() for thread in threads):
    ugreen.sleep(0.001)
    rnd.choice(threads).kill()
outcomes = {type(thread.exception()).__name__ for thread in threads}
pool.kill()
assert not lock.locked() and not lock._waiters and not queue._there._waiters and not queue._room._waiters and not pool._slots._waiters
assert len(pool._slots._permits) == 5 and len(queue._there._permits) == queue.qsize()
return sorted(outcomes)
""", seed=seed) in (["GreenExit"], ["GreenExit", "NoneType"])


# :: The end of the server

STOPPING = """
import atexit, checkpoint, ugreen, uwsgi
print("at import:", ugreen.current())
def keep(name, daemon):
    def run():
        try:
            if name == "job":
                checkpoint.reach("job runs")
                return
            ugreen.sleep(600)
        finally:
            print("ended:", name, flush=True)
    thread = ugreen.spawn(run)
    thread.daemon = daemon
threads = [keep("ticker", True)]
def application(environ, start_response):
    if environ["PATH_INFO"] == "/job":
        keep("job", False)
    if environ["PATH_INFO"] == "/endless":
        keep("endless", False)
    start_response("200 OK", [])
    return [b"ok"]
"""


@pytest.fixture
def stopping(tmp_path):
    (tmp_path / "stopping_app.py").write_text(STOPPING)

    def start(control, *options):
        return Server("stopping_app", cores=5, env=control.env, options=["--pythonpath", tmp_path, *options])

    return start


def test_a_graceful_stop_waits_for_spawned_work_and_ends_daemons(stopping):
    with Control() as control, stopping(control) as server:
        with background(server.get, "/job") as request:
            here = control.wait("job runs")
            assert request.result(PATIENCE).status == 200
        server.send_signal(signal.SIGTERM)
        server.wait_log("no new requests")
        assert server.running and "ended:" not in server.log
        here.release("")
        assert server.wait_exit() == 0
        assert server.log.index("ended: job") < server.log.index("ended: ticker"), server.log
        assert "at import: None" in server.log and "cut" not in server.log and "Traceback" not in server.log


def test_spawned_work_that_does_not_end_is_killed_after_the_grace_period(stopping):
    with Control() as control, stopping(control, "--shutdown-timeout", "1") as server:
        assert server.get("/endless").status == 200
        server.send_signal(signal.SIGTERM)
        assert server.wait_exit() == 0
        assert "still ran after 1 s" in server.log and "ended: endless" in server.log and "ended: ticker" in server.log
