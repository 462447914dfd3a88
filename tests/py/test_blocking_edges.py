"""Bad and hostile input to calls that wait: what Linux answers a thread, and nobody else disturbed."""

import json
import subprocess
import textwrap
import time

import pytest

from serving import APPS, Server, background, many, until

SETUP = """
import array, ctypes, errno, gc, select, signal, struct, tempfile, weakref
libc = ctypes.CDLL(None, use_errno=True)
def error_of(call):
    try: return call()
    except OSError as error: return errno.errorcode[error.errno]
def later(function, *arguments):
    timer = threading.Timer(0.2, function, arguments)
    timer.start()
    return timer
"""


@pytest.fixture(scope="module")
def server():
    with Server("run_code", cores=30, options=["--ugreen-threads", 8]) as s:
        yield s


@pytest.fixture
def run(server):
    return lambda code, **values: server.run(SETUP + textwrap.dedent(code), **values)


@pytest.mark.parametrize("what", ["closed", "of_another_kind", "times", "others"])
def test_answers_are_those_of_a_thread(server, what):
    code = f"import blocking_bad, json; print(json.dumps(blocking_bad.{what}()))"
    plain = subprocess.run(["/usr/bin/python3", "-c", code], env={"PYTHONPATH": str(APPS)}, stdout=subprocess.PIPE, check=True, timeout=30)
    assert server.run(f"import blocking_bad; return blocking_bad.{what}()") == json.loads(plain.stdout)


WAITS = {
    "recv": "lambda: left.recv(10)",
    "recvmsg": "lambda: left.recvmsg(10)[0]",
    "read": "lambda: os.read(left.fileno(), 10)",
    "accept": "lambda: left.accept()",
    "poll": "lambda: (select.poll, (p := select.poll()).register(left, 1), p.poll(20_000)[0][1])[2]",
    "select": "lambda: select.select([left], [], [], 20)",
    "epoll": "lambda: left.poll(20)",
    "recvmmsg": "lambda: libc.recvmmsg(left.fileno(), (ctypes.c_void_p * 8)(), 1, 0, None) or 'nothing'",
}


def waiter(way):
    made = {"accept": "socket.create_server(('127.0.0.1', 0)), None", "epoll": "select.epoll(), None"}.get(way, "socket.socketpair()")
    return f"""
        shared.left, shared.right = left, right = {made}
        shared.waits = True
        try:
            return error_of({WAITS[way]})
        finally:
            shared.waits = False
    """


CLOSED = {"poll": 0x20, "recvmmsg": -1}


@pytest.mark.parametrize("closer", ["green", "thread"])
@pytest.mark.parametrize("way", WAITS)
def test_a_descriptor_is_closed_while_somebody_waits(run, way, closer):
    """A thread would wait on for a file that nobody can reach any more. A green thread hears of it."""
    with background(run, waiter(way)) as waiting:
        until(lambda: run("return getattr(shared, 'waits', False)"), "it waits")
        close = "os.close(shared.left.detach() if hasattr(shared.left, 'detach') else os.dup2(shared.left.fileno(), 300) and shared.left.close() or 300)"
        run(close if closer == "green" else f"thread = threading.Thread(target=lambda: {close})\nthread.start()\nthread.join()")
        assert waiting.result(20) == CLOSED.get(way, "EBADF")


@pytest.mark.parametrize("way", ["recv", "read", "poll"])
def test_a_number_is_used_again_while_somebody_waits(run, way):
    """The next file of the same number is none of its business: whoever waits for that one gets all of it."""
    # A number that no other file of the server gets meanwhile.
    high = waiter(way).replace("socket.socketpair()", "[socket.socket(fileno=fcntl.fcntl(end.detach(), fcntl.F_DUPFD, 800)) for end in socket.socketpair()]")
    with background(run, "import fcntl\n" + textwrap.dedent(high)) as waiting:
        until(lambda: run("return getattr(shared, 'waits', False)"), "it waits")
        got = run("""
            number = shared.left.detach()
            os.close(number)
            new, other = socket.socketpair()
            os.dup2(new.fileno(), number)
            timer = later(other.send, b"mine")
            got = os.read(number, 10).decode()
            timer.join()
            os.close(number)
            return got
        """)
        assert got == "mine"
        assert waiting.result(20) == CLOSED.get(way, "EBADF")


def test_a_number_that_is_taken_over_by_dup2(run):
    """dup2() closes without a close(): whoever waits finds out when somebody waits for the new file."""
    with background(run, waiter("recv")) as waiting:
        until(lambda: run("return getattr(shared, 'waits', False)"), "it waits")
        assert run("""
            new, other = socket.socketpair()
            number = shared.left.fileno()
            os.dup2(new.fileno(), number)
            timer = later(other.send, b"mine")
            got = os.read(number, 10).decode()
            timer.join()
            return got
        """) == "mine"
        assert waiting.result(20) == "EBADF"


def test_a_child_that_closes_everything_disturbs_nobody(run):
    """subprocess closes all descriptors in a child that shares our memory until it runs the program."""
    with background(run, waiter("recv")) as waiting:
        until(lambda: run("return getattr(shared, 'waits', False)"), "it waits")
        run("import subprocess\nfor _ in range(3): subprocess.run(['true'], close_fds=True, check=True)\npid = os.fork()\nif pid == 0:\n    os.close(shared.left.fileno())\n    os._exit(0)\nos.waitpid(pid, 0)")
        run("shared.right.send(b'still here')")
        assert waiting.result(20) == "b'still here'"


def test_the_wrong_end_of_a_pipe(run):
    """It can only be written to, or only read: an error, for which nothing waits."""
    assert run("""
        read_end, write_end = os.pipe()
        answers = [error_of(lambda: os.read(write_end, 1)), error_of(lambda: os.readv(write_end, [bytearray(1)])), error_of(lambda: os.write(read_end, b"x")), error_of(lambda: os.writev(read_end, [b"x"])),
                   error_of(lambda: os.write(read_end, bytes(10_000)))]
        os.close(read_end)
        answers += [error_of(lambda: os.write(write_end, b"x")), error_of(lambda: os.writev(write_end, [b"x"]))]
        os.close(write_end)
        return answers
    """) == ["EBADF"] * 5 + ["EPIPE"] * 2


def test_a_look_at_a_closed_descriptor_of_two(run):
    """Of several only the closed one is told."""
    assert run("""
        left, right = socket.socketpair()
        other, far = socket.socketpair()
        number = other.detach()
        timer = later(os.close, number)
        poller = select.poll()
        poller.register(left, 1)
        poller.register(number, 1)
        found = poller.poll(20_000)
        timer.join()
        return found == [(number, select.POLLNVAL)]
    """)


@pytest.mark.parametrize("option, call, limit", [
    ("SO_RCVTIMEO", "left.recv(1)", "EAGAIN"), ("SO_RCVTIMEO", "left.recvmsg(1)", "EAGAIN"), ("SO_RCVTIMEO", "os.read(left.fileno(), 1)", "EAGAIN"),
    ("SO_RCVTIMEO", "left.recv(5, socket.MSG_WAITALL)", "EAGAIN"), ("SO_RCVTIMEO", "listener.accept()", "EAGAIN"),
    ("SO_SNDTIMEO", "left.send(bytes(10_000_000)) < 10_000_000", True), ("SO_SNDTIMEO", "os.write(left.fileno(), bytes(10_000_000)) < 10_000_000", True),
    ("SO_SNDTIMEO", "left.sendmsg([bytes(10_000_000)]) < 10_000_000", True), ("SO_SNDTIMEO", "os.writev(left.fileno(), [bytes(10_000_000)]) < 10_000_000", True),
])
def test_time_limits_of_sockets(run, option, call, limit):
    code = f"""
        left, right = socket.socketpair()
        with left, right, socket.create_server(("127.0.0.1", 0)) as listener:
            for each in (left, listener): each.setsockopt(socket.SOL_SOCKET, socket.{option}, struct.pack("ll", 0, 200_000))
            return error_of(lambda: {call})
    """
    began = time.monotonic()
    assert many(5, lambda i: run(code)) == [limit] * 5
    assert 0.15 < time.monotonic() - began < 1.5


def test_a_signal_interrupts_and_python_goes_on(run):
    """EINTR is seen by C only; Python waits for the rest of the time. The handler may wait itself."""
    assert run("""
        calls = []
        def handle(*arguments):
            calls.append("begins")
            time.sleep(0.05)
            left, right = socket.socketpair()
            timer = later(right.send, b"x")
            calls.append(left.recv(1).decode())
            timer.join()
        old = signal.signal(signal.SIGALRM, handle)
        began = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        time.sleep(0.5)
        took = time.monotonic() - began
        signal.signal(signal.SIGALRM, old)
        return [calls, 0.5 <= took < 2]
    """) == [["begins", "x"], True]


def test_a_finalizer_that_waits(run):
    """__del__ runs in the middle of another wait, in whatever code lets go of the object, and waits itself."""
    code = """
        if not hasattr(shared, "finalized"): shared.finalized = []
        class Slow:
            def __del__(self):
                time.sleep(0.05)
                with threading.Lock(): shared.finalized.append(1)
        class Ring: pass
        def work():
            for _ in range(3):
                slow = Slow()
                ring = Ring()
                ring.self, ring.slow = ring, Slow()
                del ring
                time.sleep(0.01)
                gc.collect()
        work()
        gc.collect()
        return "done"
    """
    assert many(5, lambda i: run(code)) == ["done"] * 5
    until(lambda: run("return len(shared.finalized)") == 30, "all are finalized, each once")


def test_a_lock_that_is_let_go_while_others_wait(run):
    """A semaphore whose memory is freed and used again: CPython's lock goes with its last reference, in the middle of what waits for other locks."""
    code = """
        done = []
        for i in range(200):
            lock = threading.Lock()
            lock.acquire()
            assert not lock.acquire(timeout=0.0002)
            del lock
            other = threading.Lock()
            other.acquire()
            timer = threading.Timer(0, other.release) if i % 50 == 0 else None
            if timer: timer.start()
            done.append(other.acquire(timeout=5) if timer else other.acquire(timeout=0.0001))
        return [done.count(True), done.count(False)]
    """
    assert many(5, lambda i: run(code)) == [[4, 196]] * 5


def test_a_semaphore_that_is_destroyed_wakes_nobody_else(run):
    """Freed while somebody waits, which Linux leaves undefined: that one waits on until its time is over, and what comes to lie there is not mistaken for it."""
    assert run("""
        import ugreen
        sem = (ctypes.c_char * 32)()
        moment = (ctypes.c_long * 2)(int(time.time()) + 1, 0)
        green = ugreen.spawn(lambda: libc.sem_timedwait(sem, moment))
        ugreen.sleep(0.02)
        libc.sem_destroy(sem)
        ctypes.memset(sem, 0, 32)
        lock = threading.Lock()
        with lock: pass
        return green.result(10)
    """) == -1


def test_nobody_was_disturbed(server):
    """After all of that: no descriptor too many, no error in the log."""
    count = "return len(os.listdir('/proc/self/fd'))"
    before = server.run(count)
    many(10, lambda i: server.run("left, right = socket.socketpair()\nthreading.Timer(0.05, right.send, (b'x',)).start()\nreturn left.recv(1).decode()"))
    assert server.run(count) <= before + 2
    assert " error " not in server.log
