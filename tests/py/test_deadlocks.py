"""Dead-locks among green threads are found and logged, with who waits where for what and who holds it; what somebody may still release is none."""

import contextlib
import re
import textwrap
import time

import pytest

from serving import Server, background, until

pytestmark = pytest.mark.waiting

# Made once; a test names what it wants of them.
MADE = """
import ugreen, queue
if not hasattr(shared, "one"):
    shared.one, shared.two, shared.three = threading.Lock(), threading.Lock(), threading.Lock()
    shared.rone, shared.rtwo = threading.RLock(), threading.RLock()
    shared.met = threading.Barrier(2)
    shared.free = threading.Event()
"""

# Two requests take two locks in opposite order.
OPPOSITE = MADE + """
first, second = getattr(shared, names[0]), getattr(shared, names[1])
with first:
    shared.met.wait(20)
    with second:
        return "both"
"""

# Longer than it takes until a wait counts as long, and the next look.
LOOKED = 8


@pytest.fixture
def server():
    with Server("run_code", cores=10) as s:
        yield s


def run(server, code, **values):
    return server.run(MADE + textwrap.dedent(code), **values)


def opposite(server, names):
    return background(server.run, OPPOSITE, names=names), background(server.run, OPPOSITE, names=names[::-1])


def end(server, *requests):
    """Raises an exception in all that wait for locks, and waits for the requests."""
    server.run("import _ugreen\nfor wait in _ugreen.lock_waits(): _ugreen.interrupt(wait[0], TimeoutError('enough'))")
    for request in requests:
        assert request.exception(30).text == "enough"


def waits(server, count):
    until(lambda: server.run("import _ugreen\nreturn len(_ugreen.lock_waits())") == count, f"{count} wait for locks")


def no_deadlock(server, seconds=LOOKED):
    """Nothing is said for that long."""
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() > end or "dead-lock" in server.log, "time", timeout=seconds + 5)
    assert "dead-lock" not in server.log, server.log[-3000:]


@pytest.mark.parametrize("names,kind", [(["one", "two"], "Lock"), (["rone", "rtwo"], "RLock"), (["one", "rtwo"], "R?Lock")])
def test_opposite_order(server, names, kind):
    """Others go on beside it; it is told once, with everything."""
    a, b = opposite(server, names)
    with a as first, b as second:
        waits(server, 2)
        found = server.wait_log(r"dead-lock: (2 green threads wait for each other\n(.*\n)(.*\n))")
        for line in found[2], found[3]:
            assert re.fullmatch(rf" *green thread \d+ on core \d+, POST /: in sem_wait for {kind} at 0x[0-9a-f]+, at <test>:\d+ in body; holds {kind} at 0x[0-9a-f]+( \(with, line \d+\))?\n", line), line
        locks = [re.findall(r"Lock at (0x\w+)", line) for line in (found[2], found[3])]
        assert locks[0] == locks[1][::-1]
        assert run(server, "return 1") == 1
        text = run(server, "return ugreen.dump()")
        assert len(re.findall(r"in sem_wait for R?Lock at 0x\w+, held by core \d+ at <test>:\d+ in body", text)) == 2, text
        end(server, first, second)
    assert server.log.count("dead-lock: ") == 1


def test_what_waits_behind_it_belongs_to_it(server):
    a, b = opposite(server, ["rone", "rtwo"])
    with a as first, b as second:
        waits(server, 2)
        with background(run, server, "with shared.rone: return 1") as third:
            waits(server, 3)
            server.wait_log(r"dead-lock: [23] green threads wait for each other")
            assert "dead-lock: 1 " not in server.log
            end(server, first, second, third)


def test_one_alone_with_a_lock_twice(server):
    with background(run, server, "with shared.one:\n    with shared.one: pass") as request:
        assert server.wait_log(r"dead-lock: 1 green thread waits for itself\n +green thread \d+ on core \d+, POST /: in sem_wait for Lock at \w+, at <test>:\d+ in body; holds Lock at \w+ \(with")
        end(server, request)


def test_mutexes_of_c(server):
    """Whose holder must be one of those that live since before the wait."""
    code = """
        import ctypes
        libc = ctypes.CDLL(None)
        if not hasattr(shared, "mutexes"): shared.mutexes = [(ctypes.c_char * 64)() for _ in range(2)]
        first, second = shared.mutexes[::step]
        libc.pthread_mutex_lock(first)
        shared.met.wait(20)
        libc.pthread_mutex_lock(second)
        libc.pthread_mutex_unlock(second)
        libc.pthread_mutex_unlock(first)
        """
    free = "import ctypes\nlibc = ctypes.CDLL(None)\nfor mutex in shared.mutexes: libc.pthread_mutex_unlock(mutex)"
    run(server, "import ctypes\nshared.mutexes = [(ctypes.c_char * 64)() for _ in range(2)]")
    with background(run, server, code, step=1) as a, background(run, server, code, step=-1) as b:
        waits(server, 2)
        server.wait_log(r"dead-lock: 2 green threads wait for each other\n.*in pthread_mutex_lock for mutex at 0x\w+, at ")
        # Nobody else can end it.
        run(server, free)
        a.result(30)
        b.result(30)


def test_all_cores_wait_and_nothing_else_is_left():
    with Server("run_code", cores=2) as server:
        code = MADE + "shared.free.wait()"
        with background(server.run, code), background(server.run, code):
            server.wait_log(r"dead-lock: 2 green threads wait for each other\n.*in sem_wait for Lock at 0x\w+, at <test>:\d+ in body\n")
            server.kill()


# What waits, and what ends it; each has its own locks.
ENDED_BY = [
    ("mine.free.wait()", "mine.free.set()"),
    ("threading.Timer(9, mine.free.set).start()\nmine.free.wait()", ""),
    ("mine.one.acquire()\nassert not mine.one.acquire(timeout=9)", ""),
    ("mine.again.acquire()\nmine.free.wait()", "mine.free.set()"),
    ("threading.Thread(target=lambda: mine.again.acquire() and mine.free.wait() and mine.again.release()).start()\ntime.sleep(0.1)\nwith mine.again: pass", "mine.free.set()"),
    ("ugreen.spawn(lambda: mine.again.acquire() and time.sleep(9) or mine.again.release())\nugreen.sleep(0)\nwith mine.again: pass", ""),
    ("mine.one.acquire()\nwith mine.two:\n    with mine.one: pass", "mine.one.release()"),
    ("with mine.two:\n    mine.condition = threading.Condition(mine.two)\n    mine.condition.wait()", "with mine.condition: mine.condition.notify()"),
    ("mine.queue.get()", "mine.queue.put(1)"),
    ("with mine.two:\n    mine.two.release()\n    ugreen.spawn(lambda: mine.two.acquire() and mine.free.wait() and mine.two.release())\n    ugreen.sleep(0)\n    mine.two.acquire()", "mine.free.set()"),
    ("def give_back():\n    mine.two.release()\n    mine.free.wait()\n    mine.two.acquire()\nwith mine.two: give_back()", "mine.free.set()"),
    ("libc.pthread_mutex_lock(mine.mutex)\nugreen.spawn(libc.pthread_mutex_lock, mine.mutex)\nmine.free.wait()\nlibc.pthread_mutex_unlock(mine.mutex)", "mine.free.set()"),
]

MINE = MADE + """
import ctypes
libc = ctypes.CDLL(None)
all_mine = shared.__dict__.setdefault("mine", {})
if number not in all_mine:
    all_mine[number] = mine = type(shared)(one=threading.Lock(), two=threading.Lock(), again=threading.RLock(), free=threading.Event(), queue=queue.Queue(), mutex=(ctypes.c_char * 64)())
mine = all_mine[number]
"""


def test_no_false_alarm():
    """Longer than three looks."""
    with Server("run_code", cores=len(ENDED_BY) + 2) as server, contextlib.ExitStack() as stack:
        requests = [stack.enter_context(background(server.run, MINE + wait, number=number)) for number, (wait, _) in enumerate(ENDED_BY)]
        no_deadlock(server)
        for number, (_, ending) in enumerate(ENDED_BY):
            server.run(MINE + ending, number=number)
        for request in requests:
            request.result(30)


def test_with_as_few_cores_as_possible_and_a_thread():
    """All cores wait, but an OS thread lives that may set the event."""
    with Server("run_code", cores=1) as server, background(server.run, MADE + "threading.Timer(9, shared.free.set).start()\nshared.free.wait()") as request:
        no_deadlock(server)
        request.result(30)


def is_held(server):
    until(lambda: run(server, "return hasattr(shared, 'is_held')"), "the lock is held")


def test_dump_names_the_holder(server):
    with background(run, server, "with shared.rone:\n    shared.is_held = True\n    shared.free.wait()") as holder:
        is_held(server)
        with background(run, server, "with shared.rone: return 1") as request:
            text = until(lambda: re.search(r"in sem_wait for RLock at 0x\w+, held by core \d+ at <test>:\d+ in body", run(server, "return ugreen.dump()")), "the second waits")
            assert text
            run(server, "shared.free.set()")
            holder.result(30)
            assert request.result(30) == 1


def test_dump_names_the_os_thread(server):
    run(server, """
        def hold():
            with shared.rone:
                shared.is_held = True
                shared.free.wait()
        threading.Thread(target=hold, name="keeper").start()
        """)
    is_held(server)
    with background(run, server, "with shared.rone: return 1") as request:
        until(lambda: re.search(r"in sem_wait for RLock at 0x\w+, held by the OS thread 'keeper'", run(server, "return ugreen.dump()")), "the request waits")
        run(server, "shared.free.set()")
        assert request.result(30) == 1
