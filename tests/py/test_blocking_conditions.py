"""Condition variables of C libraries, threads they wait for, and giving way: with a small C library (apps/blocking_library.c) that knows nothing of green threads."""

import ctypes
import textwrap
import time

import pytest

from serving import Server, background, many, until

SETUP = """
import ctypes
lib, held, libc = ctypes.CDLL(library), ctypes.PyDLL(library), ctypes.CDLL(None)
for loaded in (lib, held):
    for name in ("queue_new", "gate_new"): getattr(loaded, name).restype = ctypes.c_void_p
    for name in ("queue_put", "queue_get", "gate_pass", "gate_look", "gate_open", "gate_waiting"): getattr(loaded, name).argtypes = [ctypes.c_void_p] + [ctypes.c_long] * ("e_l" in name or "_put" in name or "_get" in name)
    loaded.queue_get.restype = ctypes.c_long
def once(name, make):
    if not hasattr(shared, name): setattr(shared, name, make())
    return getattr(shared, name)
"""


@pytest.fixture(scope="module")
def server():
    with Server("run_code", cores=40, options=["--ugreen-threads", 20]) as s:
        yield s


@pytest.fixture
def run(server, c_library):
    """Runs code in a request that has the library as `lib`, and as `held` with the GIL kept in its functions."""

    def run(code, **values):
        return server.run(SETUP + textwrap.dedent(code), library=c_library, **values)

    return run


@pytest.mark.parametrize("opener", ["green", "thread"])
def test_a_broadcast_reaches_all(run, opener):
    """From another green thread and from an OS thread."""
    with background(many, 15, lambda i: run("return lib.gate_pass(once(gate, lib.gate_new))", gate=opener)) as passing:
        until(lambda: run("return lib.gate_waiting(once(gate, lib.gate_new))", gate=opener) == 15, "all wait at the gate")
        run("lib.gate_open(shared.green)" if opener == "green" else "threading.Thread(target=lib.gate_open, args=(shared.thread,)).start()")
        assert passing.result(20) == [0] * 15


def test_no_signal_is_lost(run):
    """Producers and consumers on green threads and on OS threads, on one queue with room for a few."""
    each = 300
    green_put = "for i in range(each): lib.queue_put(once('queue', lambda: lib.queue_new(4)), i + 1)"
    green_get = "return sum(lib.queue_get(once('queue', lambda: lib.queue_new(4)), 30_000) for _ in range(each))"
    threads = """
        queue, got = once("queue", lambda: lib.queue_new(4)), []
        def put():
            for i in range(each): lib.queue_put(queue, i + 1)
        def get(): got.append(sum(lib.queue_get(queue, 30_000) for _ in range(each)))
        made = [threading.Thread(target=f) for f in (put, get, put, get)]
        for thread in made: thread.start()
        for thread in made: thread.join()
        return sum(got)
    """
    codes = [green_put, green_get] * 8 + [threads]
    sums = many(len(codes), lambda i: run(codes[i], each=each))
    assert sum(s or 0 for s in sums) == 10 * sum(range(1, each + 1))


def test_a_time_is_kept(run):
    began = time.monotonic()
    assert many(15, lambda i: run("return lib.queue_get(lib.queue_new(1), 200)")) == [-1] * 15
    assert 0.2 <= time.monotonic() - began < 2


def test_the_mutex_is_free_before_the_hub_wants_the_gil(run):
    """An OS thread asks for the mutex with the GIL in its hand: it must not be in the hands of a green thread that waits for the GIL."""
    assert run("""
        gate, ends = lib.gate_new(), []
        def poke():
            while not ends: held.gate_look(gate, 0)
        threads = [threading.Thread(target=poke) for _ in range(2)]
        for thread in threads: thread.start()
        try:
            return [lib.gate_look(gate, 10) for _ in range(1000)] == [0] * 1000
        finally:
            ends.append(1)
            for thread in threads: thread.join()
    """)


def test_a_wait_that_keeps_the_gil(run):
    began = time.monotonic()
    assert many(10, lambda i: run("return held.gate_look(held.gate_new(), 200_000)")) == [0] * 10
    assert time.monotonic() - began < 1.5


def test_wrong_waits_get_what_a_thread_gets(run, c_library):
    plain = ctypes.CDLL(c_library)
    expected = [plain.wrong_wait(i) for i in range(4)]
    assert expected == [1, 22_000, 110_000, 22_000]
    assert run("return [lib.wrong_wait(i) for i in range(4)]") == expected


def test_in_a_forked_child_they_wait_as_ever(run):
    assert run("""
        pid = os.fork()
        if pid == 0:
            gate = lib.gate_new()
            threading.Timer(0.1, lib.gate_open, (gate,)).start()
            os._exit(40 + lib.gate_pass(gate))
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    """) == 40


def test_the_end_of_a_thread(run):
    began = time.monotonic()
    assert many(10, lambda i: run("lib.start_and_join.restype = ctypes.c_long; return lib.start_and_join(ctypes.c_long(200_000))")) == [200_000] * 10
    assert time.monotonic() - began < 1.5
    assert run("return lib.join_self()") == 35


@pytest.mark.parametrize("way", ["time.sleep(0)", "os.sched_yield()", "libc.sched_yield()", "libc.usleep(0)", "libc.select(0, None, None, None, (ctypes.c_long * 2)(0, 0))", "__import__('select').select([], [], [], 0)"])
def test_who_gives_way_lets_others_run(run, way):
    with background(run, f"shared.go = False\nwhile not shared.go: {way}\nreturn 'went on'") as waiting:
        until(lambda: run("return hasattr(shared, 'go')"), "it gives way")
        run("shared.go = True")
        assert waiting.result(10) == "went on"
    run("del shared.go")


def test_the_gil_is_waited_for_as_ever(run):
    """Green threads and OS threads that all want the GIL at once: its condition variable is not ours."""
    code = """
        def count(n):
            for _ in range(n): time.sleep(0.0005)
        threads = [threading.Thread(target=count, args=(100,)) for _ in range(4)]
        for thread in threads: thread.start()
        count(100)
        for thread in threads: thread.join()
        return True
    """
    assert many(10, lambda i: run(code)) == [True] * 10


def test_a_jump_over_frames_that_have_waited(run, c_library):
    """longjmp() as in Lua or libpng: past frames of C in which a green thread has waited, others having jumped meanwhile."""
    assert many(20, lambda i: run("return [lib.jump_after_wait(1000 * k) for k in range(1, 20)]")) == [[1000 * k for k in range(1, 20)]] * 20


