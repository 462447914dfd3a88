"""Requests that wait by calls of Python and of C libraries that know nothing of green threads; the path names the function, most give "ok"."""

import _thread
import asyncio
import concurrent.futures
import ctypes
import errno
import fcntl
import importlib
import os
import pathlib
import queue
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import ugreen

LIBC = ctypes.CDLL(None, use_errno=True)

lock = threading.Lock()
rlock = threading.RLock()
condition = threading.Condition()
inside = 0
most = 0
items: "queue.Queue[int]" = queue.Queue()
idents = set()


def hold(held, seconds):
    """Hold a lock while waiting, and note how many are inside at once."""
    global inside, most
    with held:
        inside += 1
        most = max(most, inside)
        time.sleep(seconds)
        inside -= 1


def later(function, *arguments):
    timer = threading.Timer(0.2, function, arguments)
    timer.start()
    return timer


def nested():
    with rlock:
        hold(rlock, 0.02)


def pair():
    return socket.socketpair()


def receive(how):
    left, right = pair()
    with left, right:
        timer = later(right.send, b"hello")
        got = how(left)
        timer.join()
    assert got == b"hello", got


def wait_all():
    left, right = pair()
    with left, right:
        first, second = later(right.send, b"he"), threading.Timer(0.25, right.send, (b"llo",))
        second.start()
        assert left.recv(5, socket.MSG_WAITALL) == b"hello"
        first.join()
        second.join()


def send_much():
    left, right = pair()
    with left, right:
        data = bytes(range(256)) * 8000
        got = bytearray()

        def read():
            while len(got) < len(data):
                got.extend(right.recv(65536))

        timer = later(read)
        assert left.send(data) == len(data)
        timer.join()
        assert got == data


def pipe_much():
    read_end, write_end = os.pipe()
    data = bytes(range(256)) * 8000
    got = bytearray()

    def read():
        while len(got) < len(data):
            got.extend(os.read(read_end, 65536))

    timer = later(read)
    assert os.write(write_end, data) == len(data)
    timer.join()
    assert got == data
    os.close(read_end)
    os.close(write_end)


def pipe():
    read_end, write_end = os.pipe()
    timer = later(os.write, write_end, b"x")
    assert os.read(read_end, 10) == b"x"
    timer.join()
    os.close(read_end)
    os.close(write_end)


def receive_timeout():
    left, right = pair()
    with left, right:
        left.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 200_000))
        try:
            left.recv(1)
            raise AssertionError("it read something")
        except BlockingIOError:
            pass


def accept():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        timer = later(socket.create_connection, listener.getsockname())
        listener.accept()[0].close()
        timer.join()


def connect_refused():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with socket.socket() as other:
            try:
                other.connect(free.getsockname())
                raise AssertionError("connected")
            except ConnectionRefusedError:
                time.sleep(0.2)


def connect_unix():
    """Connecting to a Unix socket whose queue is full waits for its listener."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(folder + "/s")
        listener.listen(0)
        first, second = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        first.connect(folder + "/s")
        timer = later(listener.accept)
        second.connect(folder + "/s")
        timer.join()
        first.close()
        second.close()


def do_poll():
    left, right = pair()
    with left, right:
        timer = later(right.send, b"x")
        poller = select.poll()
        poller.register(left, select.POLLIN)
        assert poller.poll(5000) == [(left.fileno(), select.POLLIN)]
        timer.join()


def do_select():
    left, right = pair()
    with left, right:
        timer = later(right.send, b"x")
        assert select.select([left], [], [left], 5) == ([left], [], [])
        timer.join()
        left.recv(1)
        assert select.select([left], [], [], 0.01) == ([], [], [])


def do_epoll():
    left, right = pair()
    with left, right, select.epoll() as poller:
        poller.register(left, select.EPOLLIN)
        timer = later(right.send, b"x")
        assert poller.poll(5) == [(left.fileno(), select.EPOLLIN)]
        timer.join()


def urgent():
    """Events that epoll is not asked for."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as left:
        right = listener.accept()[0]
        timer = later(right.send, b"!", socket.MSG_OOB)
        poller = select.poll()
        poller.register(left, select.POLLPRI)
        assert poller.poll(5000) == [(left.fileno(), select.POLLPRI)]
        timer.join()
        right.close()


def ask_pool():
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: time.sleep(0.2) or 5).result() == 5


def put_get():
    later(items.put, 1)
    items.get(timeout=10)


def event():
    assert not threading.Event().wait(0.2)


def joined():
    thread = threading.Thread(target=time.sleep, args=(0.2,))
    thread.start()
    thread.join()


def run_asyncio():
    async def generate():
        for _ in range(4):
            await asyncio.sleep(0.05)
            yield 1

    async def main():
        return [one async for one in generate()]

    assert asyncio.run(main()) == [1, 1, 1, 1]


def names():
    assert socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
    time.sleep(0.2)


NUMERIC = [("127.0.0.1", 80), ("::1", "443", 0, socket.SOCK_STREAM), (None, 80, socket.AF_INET, socket.SOCK_DGRAM), ("127.1", None, 0, 0, 0, socket.AI_CANONNAME), ("fe80::1%lo", 1), (None, 1, 0, 0, 0, socket.AI_PASSIVE)]
OTHERS = [("localhost", 80), ("127.0.0.1", "http"), ("127.0.0.1", "no-such-service"), ("127.0.0.1", 80, socket.AF_INET6), ("a name.invalid", 80, 0, 0, 0, socket.AI_NUMERICHOST), (None, None)]


def look_up(arguments):
    try:
        return socket.getaddrinfo(*arguments)
    except socket.gaierror as error:
        return error.args


def addresses():
    """What the C library says in an OS thread; what needs no look-up without a thread of the server's."""
    for cases, are_waiting in (NUMERIC, False), (OTHERS, True):
        for arguments in cases:
            found = []
            thread = threading.Thread(target=lambda: found.append(look_up(arguments)))
            thread.start()
            thread.join()
            assert [look_up(arguments)] == found, arguments
        names = [pathlib.Path(f"/proc/self/task/{task}/comm").read_text().strip() for task in os.listdir("/proc/self/task")]
        assert ("ugreen wait" in names) == are_waiting, names


def file_lock():
    with tempfile.TemporaryFile() as one:
        with open(f"/proc/self/fd/{one.fileno()}", "rb+") as other:
            fcntl.flock(one, fcntl.LOCK_EX)
            later(fcntl.flock, one, fcntl.LOCK_UN)
            fcntl.flock(other, fcntl.LOCK_EX)


def child():
    pid = os.posix_spawn("/bin/sleep", ["sleep", "0.2"], {})
    assert os.waitpid(pid, 0) == (pid, 0)


def any_child():
    pid = os.posix_spawn("/bin/sleep", ["sleep", "0.2"], {})
    assert os.waitid(os.P_PID, pid, os.WEXITED).si_pid == pid


def run_system():
    assert os.system("sleep 0.2") == 0


def mutex():
    """Two green threads, one mutex of C's."""
    LIBC.pthread_mutex_lock(MUTEX)
    time.sleep(0.02)
    LIBC.pthread_mutex_unlock(MUTEX)


MUTEX = (ctypes.c_char * 64)()


def who():
    for _ in range(3):
        mine = (threading.get_ident(), threading.current_thread())
        time.sleep(0.05)
        assert mine == (_thread.get_ident(), threading.current_thread())
    idents.add(mine[0])


def forked():
    """In a forked child everything blocks, and works."""
    pid = os.fork()
    if pid == 0:
        time.sleep(0.01)
        with lock, rlock:
            os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    time.sleep(0.1)


def bad():
    """What Linux answers to bad input."""
    answers = []
    # Not the lowest free number, which another request's connection would have a moment later.
    with open("/dev/null", "rb") as null:
        fd = fcntl.fcntl(null, fcntl.F_DUPFD, 500)
    os.close(fd)
    for call in (lambda: os.read(fd, 1), lambda: os.write(fd, b"x"), lambda: os.write(fd, b"x" * 9000), lambda: os.waitpid(999_999_999, 0), lambda: time.sleep(-1), lambda: select.select([fd], [], [], 1)):
        try:
            answers.append(call())
        except (OSError, ValueError) as error:
            answers.append(errno.errorcode.get(getattr(error, "errno", 0), type(error).__name__))
    time_struct = (ctypes.c_long * 2)(0, 2_000_000_000)
    answers.append(errno.errorcode[LIBC.clock_nanosleep(1, 0, time_struct, None)])
    answers.append(LIBC.nanosleep(time_struct, None) or errno.errorcode[ctypes.get_errno()])
    assert answers == ["EBADF", "EBADF", "EBADF", "ECHILD", "ValueError", "EBADF", "EINVAL", -1], answers


class TooLong(Exception):
    pass


def alarm(wait):
    """The usual time limit of Unix: an alarm whose handler raises, in a call that blocks."""
    def raise_it(*arguments):
        raise TooLong

    old = signal.signal(signal.SIGALRM, raise_it)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        wait()
        raise AssertionError("nothing was raised")
    except TooLong:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def slow_import():
    assert importlib.import_module("blocking_slow").VALUE == 42


WAYS = {
    "sleep": lambda: time.sleep(0.2),
    "usleep": lambda: LIBC.usleep(200_000),
    "lock": lambda: hold(lock, 0.02),
    "rlock": nested,
    "recv": lambda: receive(lambda left: left.recv(10)),
    "recvfrom": lambda: receive(lambda left: left.recvfrom(10)[0]),
    "recvmsg": lambda: receive(lambda left: left.recvmsg(10)[0]),
    "read_socket": lambda: receive(lambda left: os.read(left.fileno(), 10)),
    "makefile": lambda: receive(lambda left: left.makefile("rb").read(5)),
    "wait_all": wait_all,
    "send_much": send_much,
    "pipe": pipe,
    "pipe_much": pipe_much,
    "receive_timeout": receive_timeout,
    "accept": accept,
    "connect_refused": connect_refused,
    "connect_unix": connect_unix,
    "poll": do_poll,
    "select": do_select,
    "epoll": do_epoll,
    "urgent": urgent,
    "subprocess": lambda: subprocess.run(["sleep", "0.2"], check=True),
    "child": child,
    "any_child": any_child,
    "system": run_system,
    "pool": ask_pool,
    "queue": put_get,
    "event": event,
    "join": joined,
    "asyncio": run_asyncio,
    "names": names,
    "addresses": addresses,
    "file_lock": file_lock,
    "mutex": mutex,
    "who": who,
    "forked": forked,
    "bad": bad,
    "import": slow_import,
    "alarm_sleep": lambda: alarm(lambda: time.sleep(30)),
    "alarm_recv": lambda: alarm(lambda: silent(lambda left: left.recv(1))),
    "alarm_lock": lambda: alarm(lambda: taken().acquire()),
    "alarm_select": lambda: alarm(lambda: silent(lambda left: select.select([left], [], [], 30))),
}


# How each wait ends when an exception ends it.
FOREVER = {
    "sleep": lambda: time.sleep(60),
    "lock": lambda: taken().acquire(),
    "lock_time": lambda: taken().acquire(timeout=60),
    "recv": lambda: silent(lambda left: left.recv(1)),
    "read": lambda: silent_pipe(),
    "poll": lambda: select.poll().poll(60_000),
    "select": lambda: silent(lambda left: select.select([left], [], [], 60)),
    "settimeout": lambda: silent(timed),
    "child": lambda: subprocess.run(["sleep", "60"]),
    "queue": lambda: queue.Queue().get(),
    "event": lambda: threading.Event().wait(),
    "accept": lambda: accepts(),
    "asyncio": lambda: asyncio.run(asyncio.sleep(60)),
}


def taken():
    made = threading.Lock()
    made.acquire()
    return made


def silent(wait):
    """Wait for a socket whose other end says nothing."""
    left, right = pair()
    with left, right:
        wait(left)


def timed(left):
    left.settimeout(60)
    left.recv(1)


def silent_pipe():
    read_end, write_end = os.pipe()
    try:
        os.read(read_end, 1)
    finally:
        os.close(read_end)
        os.close(write_end)


def accepts():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.accept()


def interrupted(way, limit):
    began = time.monotonic()
    try:
        with ugreen.timeout(limit):
            FOREVER[way]()
        return "nothing raised"
    except ugreen.Timeout:
        return "ok" if time.monotonic() - began < 5 else "late"


def application(environ, start_response):
    global most
    path = environ["PATH_INFO"].strip("/")
    asked = urllib.parse.parse_qs(environ["QUERY_STRING"])
    status = "200 OK"
    if path == "most":
        answer, most = str(most), 0
    elif path == "idents":
        answer = str(len(idents))
    elif path == "dump":
        answer = ugreen.dump()
    elif path == "forever":
        FOREVER[asked["way"][0]]()
        answer = "nothing raised"
    elif path == "interrupted":
        answer = interrupted(asked["way"][0], float(asked.get("time", ["0.2"])[0]))
    else:
        WAYS[path]()
        answer = "ok"
    start_response(status, [("Content-Type", "text/plain")])
    return [answer.encode()]
