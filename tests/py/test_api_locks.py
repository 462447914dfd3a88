"""``uwsgi.lock()`` within a worker, and between processes that share its file."""

import subprocess
import sys

import pytest

from serving import Remote, Server

# Another worker as the kernel sees it: takes byte 1 of the file, says so, and lets go when its standard input ends (or when it is killed).
HOLDER = """
import fcntl, os, struct, sys
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(fd, fcntl.F_OFD_SETLK, struct.pack("@hhqqi4x", fcntl.F_WRLCK, 0, 1, 1, 0))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def server():
    with Server("run_code", cores=30, options=["--locks", "1"]) as s:
        yield s


@pytest.fixture
def holder(tmp_path):
    """A process that has lock 1 of the file; gives (file, process)."""
    path = tmp_path / "locks"
    path.touch()
    with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"held\n"
            yield str(path), process
        finally:
            process.kill()


def test_one_at_a_time_and_in_their_order(server):
    assert server.run("""
        import ugreen
        order, inside, most = [], [], []
        def work(i):
            uwsgi.lock()
            inside.append(i)
            most.append(len(inside))
            ugreen.sleep(0.001)
            order.append(inside.pop())
            uwsgi.unlock()
        threads = [ugreen.spawn(work, i) for i in range(10)]
        for thread in threads:
            thread.join(20)
        return order, max(most), uwsgi.is_locked(), uwsgi.lock(1), uwsgi.is_locked(1), uwsgi.is_locked(0), uwsgi.unlock(1), uwsgi.unlock(1), uwsgi.is_locked(1)
    """) == [list(range(10)), 1, False, None, True, False, None, None, False]


def test_a_wait_can_be_given_up_and_os_threads_take_part(server):
    assert server.run("""
        import ugreen
        uwsgi.lock()
        try:
            with ugreen.timeout(0.01):
                uwsgi.lock()
        except ugreen.Timeout:
            given_up = True
        got = []
        def other():
            uwsgi.lock()
            got.append(uwsgi.is_locked())
            uwsgi.unlock()
        thread = threading.Thread(target=other)
        thread.start()
        before = list(got)
        uwsgi.unlock()
        ugreen.run_in_thread(thread.join, 20)
        return given_up, before, got, uwsgi.is_locked()
    """) == [True, [], [True], False]


@pytest.mark.parametrize("function", ["lock", "unlock", "is_locked"])
def test_numbers_beyond_locks_are_errors(server, function):
    for number, kind, text in ((2, "ValueError", "Invalid lock number: 2; there are locks 0 to 1, see --locks"), (-1, "ValueError", "Invalid lock number"), ("a", "TypeError", "must be an int")):
        with pytest.raises(Remote, match=text) as raised:
            server.run("getattr(uwsgi, function)(number)", function=function, number=number)
        assert raised.value.kind == kind


def test_the_decorator_locks(server):
    assert server.run("""
        import ugreen, uwsgidecorators
        @uwsgidecorators.lock
        def work(a, *, b):
            "docs"
            ugreen.sleep(0)
            if b is None:
                raise KeyError("b")
            return a, b, uwsgi.is_locked()
        result = work(1, b=2)
        try:
            work(1, b=None)
        except KeyError:
            pass
        return result, work.__doc__, uwsgi.is_locked()
    """) == [[1, 2, True], "docs", False]


WAIT = """
    import ugreen
    from ugreen import _locks
    locks = _locks.Locks(2, path)
    shared.locks, shared.got = locks, ugreen.Event()
    def wait():
        locks.lock(1)
        shared.got.set()
    thread = ugreen.spawn(wait)
    locks.lock(0)
    others = locks.is_locked(0), locks.is_locked(1)
    locks.unlock(0)
    return others, locks.is_locked(0), shared.got.wait(0.2)
"""


@pytest.mark.parametrize("end", ["lets go", "is killed"])
def test_another_process_holds_up_only_the_caller_until_it_lets_go(server, holder, end):
    path, process = holder
    # Other green threads run meanwhile: this answers.
    assert server.run(WAIT, path=path) == [[True, True], False, False]
    if end == "lets go":
        process.stdin.close()
    else:
        process.kill()
    assert server.run("return shared.got.wait(20), shared.locks.is_locked(1)") == [True, True]
    # And now the others see that it is taken here.
    second = subprocess.run([sys.executable, "-c", HOLDER, path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
    assert b"BlockingIOError" in second.stderr
    assert server.run("shared.locks.unlock(1); return shared.locks.is_locked(1)") is False
    assert subprocess.run([sys.executable, "-c", HOLDER, path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=30).stdout == b"held\n"


def test_giving_up_the_wait_for_another_process_leaves_the_lock_free_for_the_next(server, holder):
    path, process = holder
    assert server.run("""
        import ugreen
        from ugreen import _locks
        shared.locks = locks = _locks.Locks(2, path)
        try:
            with ugreen.timeout(0.05):
                locks.lock(1)
        except ugreen.Timeout:
            return locks._locks[1].locked(), locks.is_locked(1)
    """, path=path) == [False, True]
    process.stdin.close()
    assert server.run("shared.locks.lock(1); return shared.locks.is_locked(1)") is True


def test_waiting_for_another_process_costs_little(server, holder):
    path, process = holder
    used, looks = server.run("""
        import ugreen
        from ugreen import _locks
        locks = _locks.Locks(2, path)
        looks = []
        take = locks._take
        locks._take = lambda number: looks.append(number) or take(number)
        before = time.process_time()
        try:
            with ugreen.timeout(1):
                locks.lock(1)
        except ugreen.Timeout:
            return time.process_time() - before, len(looks)
    """, path=path)
    # 1, 2, 4 … 32 ms, then every 50 ms.
    assert 5 < looks <= 30 and used < 0.8
