"""Every function of the C library that waits green, called as C code would call it, in a state in which it waits. BLOCKING_HOLD: how long those wait that no exception ends."""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import tempfile
import time

import ugreen

LIBC = ctypes.CDLL(None, use_errno=True)
HOLD = float(os.environ.get("BLOCKING_HOLD", "0.3"))
LONG = 600
MONOTONIC, REALTIME = 1, 0
WAYS = {}


def way(*names):
    def add(function):
        for name in names:
            WAYS[name] = (contextlib.contextmanager(function), name)
        return function

    return add


def memory(size=256):
    return ctypes.create_string_buffer(size)


def timespec(seconds, clock=None):
    whole = int(seconds)
    now = time.clock_gettime(clock) if clock is not None else 0
    return (ctypes.c_long * 2)(int(now) + whole, int((seconds - whole) * 1e9))


def message(fd_bytes):
    """A struct msghdr of one part; what it points to is kept beside it."""
    part = (ctypes.c_void_p * 2)(ctypes.addressof(fd_bytes), len(fd_bytes))
    header = (ctypes.c_void_p * 8)(None, None, ctypes.addressof(part), 1, None, None, None, None)
    header.kept = (part, fd_bytes)
    return header


@contextlib.contextmanager
def idle():
    """A socket whose other side says nothing."""
    left, right = socket.socketpair()
    with left, right:
        yield left.fileno()


@contextlib.contextmanager
def full():
    """A socket whose other side reads nothing."""
    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                left.send(bytes(65536))
        left.setblocking(True)
        yield left.fileno()


@contextlib.contextmanager
def pipe():
    read_end, write_end = os.pipe()
    try:
        yield read_end, write_end
    finally:
        os.close(read_end)
        os.close(write_end)


@contextlib.contextmanager
def full_pipe():
    with pipe() as (read_end, write_end):
        os.set_blocking(write_end, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(write_end, bytes(4096))
        os.set_blocking(write_end, True)
        yield write_end


@contextlib.contextmanager
def child():
    pid = os.posix_spawn("/bin/sleep", ["sleep", str(LONG)], {})
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


@contextlib.contextmanager
def busy_pool():
    """The only thread of the pool has something else to do for a while (see --ugreen-threads)."""
    green = ugreen.spawn(LIBC.system, f"sleep {HOLD}".encode())
    ugreen.sleep(0.01)
    yield
    green.join()


@way("sem_wait", "sem_timedwait", "sem_clockwait")
def semaphore(name):
    sem = memory()
    LIBC.sem_init(sem, 0, 0)
    yield {
        "sem_wait": lambda: LIBC.sem_wait(sem),
        "sem_timedwait": lambda: LIBC.sem_timedwait(sem, timespec(LONG, REALTIME)),
        "sem_clockwait": lambda: LIBC.sem_clockwait(sem, MONOTONIC, timespec(LONG, MONOTONIC)),
    }[name]


@way("shared_semaphore")
def shared_semaphore(name):
    sem = memory()
    LIBC.sem_init(sem, 1, 0)
    yield lambda: LIBC.sem_wait(sem)


@way("pthread_mutex_lock")
def mutex(name):
    lock = memory()

    def hold():
        LIBC.pthread_mutex_lock(lock)
        ugreen.sleep(HOLD)
        LIBC.pthread_mutex_unlock(lock)

    green = ugreen.spawn(hold)
    ugreen.sleep(0.01)
    yield lambda: LIBC.pthread_mutex_lock(lock)
    green.join()
    assert LIBC.pthread_mutex_unlock(lock) == 0


@way("pthread_cond_wait", "pthread_cond_timedwait", "pthread_cond_clockwait", "shared_condition")
def condition(name):
    cond, lock, kind = memory(), memory(), memory()
    if name == "shared_condition":
        LIBC.pthread_condattr_init(kind)
        LIBC.pthread_condattr_setpshared(kind, 1)
        LIBC.pthread_cond_init(cond, kind)
    wait = {
        "pthread_cond_timedwait": lambda: LIBC.pthread_cond_timedwait(cond, lock, timespec(LONG, REALTIME)),
        "pthread_cond_clockwait": lambda: LIBC.pthread_cond_clockwait(cond, lock, MONOTONIC, timespec(LONG, MONOTONIC)),
    }.get(name, lambda: LIBC.pthread_cond_wait(cond, lock))
    LIBC.pthread_mutex_lock(lock)

    def until_it_is_so():
        while True:
            wait()

    yield until_it_is_so
    assert LIBC.pthread_mutex_unlock(lock) == 0
    assert LIBC.pthread_mutex_trylock(lock) == 0


@way("clock_nanosleep", "nanosleep", "usleep", "sleep")
def sleeps(name):
    yield {
        "clock_nanosleep": lambda: LIBC.clock_nanosleep(MONOTONIC, 0, timespec(LONG), None),
        "nanosleep": lambda: LIBC.nanosleep(timespec(LONG), None),
        "usleep": lambda: LIBC.usleep(LONG * 1_000_000),
        "sleep": lambda: LIBC.sleep(LONG),
    }[name]


@way("poll", "__poll_chk", "ppoll", "__ppoll_chk", "select", "pselect")
def polls(name):
    with idle() as fd:
        one = memory()
        struct.pack_into("ihh", one, 0, fd, 1, 0)
        bits = memory(128)
        bits[fd // 8] = 1 << (fd % 8)
        yield {
            "poll": lambda: LIBC.poll(one, 1, LONG * 1000),
            "__poll_chk": lambda: LIBC.__poll_chk(one, 1, LONG * 1000, ctypes.c_size_t(8)),
            "ppoll": lambda: LIBC.ppoll(one, 1, timespec(LONG), None),
            "__ppoll_chk": lambda: LIBC.__ppoll_chk(one, 1, timespec(LONG), None, ctypes.c_size_t(8)),
            "select": lambda: LIBC.select(fd + 1, bits, None, None, None),
            "pselect": lambda: LIBC.pselect(fd + 1, bits, None, None, timespec(LONG), None),
        }[name]


@way("epoll_wait", "epoll_pwait", "epoll_pwait2")
def epolls(name):
    fd = LIBC.epoll_create1(0)
    events = memory()
    yield {
        "epoll_wait": lambda: LIBC.epoll_wait(fd, events, 4, LONG * 1000),
        "epoll_pwait": lambda: LIBC.epoll_pwait(fd, events, 4, LONG * 1000, None),
        "epoll_pwait2": lambda: LIBC.epoll_pwait2(fd, events, 4, timespec(LONG), None),
    }[name]
    os.close(fd)


@way("recv", "__recv_chk", "recvfrom", "__recvfrom_chk", "recvmsg", "recvmmsg", "read_socket")
def receives(name):
    with idle() as fd:
        room, size = memory(), ctypes.c_size_t(256)
        yield {
            "recv": lambda: LIBC.recv(fd, room, size, 0),
            "__recv_chk": lambda: LIBC.__recv_chk(fd, room, size, size, 0),
            "recvfrom": lambda: LIBC.recvfrom(fd, room, size, 0, None, None),
            "__recvfrom_chk": lambda: LIBC.__recvfrom_chk(fd, room, size, size, 0, None, None),
            "recvmsg": lambda: LIBC.recvmsg(fd, message(room), 0),
            "recvmmsg": lambda: LIBC.recvmmsg(fd, message(room), 1, 0, None),
            "read_socket": lambda: LIBC.read(fd, room, size),
        }[name]


@way("send", "sendto", "sendmsg", "sendmmsg", "write_socket", "writev_socket", "sendfile", "sendfile64")
def sends(name):
    with full() as fd, tempfile.TemporaryFile() as file:
        file.truncate(1000)
        room, size = memory(), ctypes.c_size_t(256)
        yield {
            "send": lambda: LIBC.send(fd, room, size, 0),
            "sendto": lambda: LIBC.sendto(fd, room, size, 0, None, 0),
            "sendmsg": lambda: LIBC.sendmsg(fd, message(room), 0),
            "sendmmsg": lambda: LIBC.sendmmsg(fd, message(room), 1, 0),
            "write_socket": lambda: LIBC.write(fd, room, size),
            "writev_socket": lambda: LIBC.writev(fd, (ctypes.c_void_p * 2)(ctypes.addressof(room), 256), 1),
            "sendfile": lambda: LIBC.sendfile(fd, file.fileno(), None, size),
            "sendfile64": lambda: LIBC.sendfile64(fd, file.fileno(), None, size),
        }[name]


@way("read", "__read_chk", "readv", "splice")
def reads(name):
    with pipe() as (fd, _), pipe() as (_, other):
        room, size = memory(), ctypes.c_size_t(256)
        yield {
            "read": lambda: LIBC.read(fd, room, size),
            "__read_chk": lambda: LIBC.__read_chk(fd, room, size, size),
            "readv": lambda: LIBC.readv(fd, (ctypes.c_void_p * 2)(ctypes.addressof(room), 256), 1),
            "splice": lambda: LIBC.splice(fd, None, other, None, size, 0),
        }[name]


@way("write", "write_much", "writev")
def writes(name):
    with full_pipe() as fd:
        room = memory(20_000)
        yield {
            "write": lambda: LIBC.write(fd, room, ctypes.c_size_t(256)),
            "write_much": lambda: LIBC.write(fd, room, ctypes.c_size_t(20_000)),
            "writev": lambda: LIBC.writev(fd, (ctypes.c_void_p * 2)(ctypes.addressof(room), 20_000), 1),
        }[name]


@way("connect", "accept", "accept4")
def connections(name):
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as two:
        path = folder + "/s"
        listener.bind(path)
        listener.listen(0)
        address = struct.pack("h", socket.AF_UNIX) + path.encode() + b"\0"
        if name == "connect":
            one.connect(path)
        yield {
            "connect": lambda: LIBC.connect(two.fileno(), address, len(address)),
            "accept": lambda: LIBC.accept(listener.fileno(), None, None),
            "accept4": lambda: LIBC.accept4(listener.fileno(), None, None, 0),
        }[name]


@way("waitpid", "wait", "wait3", "wait4", "waitid")
def children(name):
    with child() as pid:
        status = memory()
        yield {
            "waitpid": lambda: LIBC.waitpid(pid, status, 0),
            "wait": lambda: LIBC.wait(status),
            "wait3": lambda: LIBC.wait3(status, 0, None),
            "wait4": lambda: LIBC.wait4(pid, status, 0, None),
            "waitid": lambda: LIBC.waitid(os.P_PID, pid, status, os.WEXITED),
        }[name]


@way("getaddrinfo", "getnameinfo", "gethostbyname_r", "gethostbyaddr_r")
def names(name):
    room, found, error, size = memory(8192), ctypes.c_void_p(), ctypes.c_int(), ctypes.c_size_t(8192)
    address = struct.pack("!BBH4s8x", 2, 0, 80, socket.inet_aton("127.0.0.1"))
    with busy_pool():
        yield {
            "getaddrinfo": lambda: LIBC.getaddrinfo(b"localhost", None, None, ctypes.byref(found)),
            "getnameinfo": lambda: LIBC.getnameinfo(address, 16, room, 200, None, 0, 1),
            "gethostbyname_r": lambda: LIBC.gethostbyname_r(b"localhost", memory(), room, size, ctypes.byref(found), ctypes.byref(error)),
            "gethostbyaddr_r": lambda: LIBC.gethostbyaddr_r(socket.inet_aton("127.0.0.1"), 4, 2, memory(), room, size, ctypes.byref(found), ctypes.byref(error)),
        }[name]


@way("flock", "lockf", "lockf64", "fcntl", "fcntl64", "ofd_lock")
def file_locks(name):
    ofd_set, ofd_wait = 37, 38
    with tempfile.TemporaryFile() as one, open(f"/proc/self/fd/{one.fileno()}", "rb+") as other:
        fd = other.fileno()
        lock = struct.pack("hhqqixxxx", fcntl.F_WRLCK, 0, 0, 0, 0)
        fcntl.flock(one, fcntl.LOCK_EX)
        # A lock of the open file is in the way of the process's own locks, too.
        fcntl.fcntl(one, ofd_set, lock)

        def give():
            ugreen.sleep(HOLD)
            fcntl.flock(one, fcntl.LOCK_UN)
            fcntl.fcntl(one, ofd_set, struct.pack("hhqqixxxx", fcntl.F_UNLCK, 0, 0, 0, 0))

        green = ugreen.spawn(give)
        yield {
            "flock": lambda: LIBC.flock(fd, fcntl.LOCK_EX),
            "lockf": lambda: LIBC.lockf(fd, 1, ctypes.c_long(0)),
            "lockf64": lambda: LIBC.lockf64(fd, 1, ctypes.c_long(0)),
            "fcntl": lambda: LIBC.fcntl(fd, fcntl.F_SETLKW, lock),
            "fcntl64": lambda: LIBC.fcntl64(fd, fcntl.F_SETLKW, lock),
            "ofd_lock": lambda: LIBC.fcntl(fd, ofd_wait, lock),
        }[name]
        green.join()


@way("system", "pclose")
def programs(name):
    LIBC.popen.restype = ctypes.c_void_p
    command = f"sleep {HOLD}".encode()
    yield {"system": lambda: LIBC.system(command), "pclose": lambda: LIBC.pclose(ctypes.c_void_p(LIBC.popen(command, b"r")))}[name]


@way("pthread_join")
def join(name):
    thread = ctypes.c_ulong()
    start = ctypes.cast(LIBC.usleep, ctypes.c_void_p)
    assert LIBC.pthread_create(ctypes.byref(thread), None, start, ctypes.c_void_p(int(HOLD * 1e6))) == 0
    yield lambda: LIBC.pthread_join(thread, None)


@way("sched_yield")
def yields(name):
    def again():
        while True:
            os.sched_yield()

    yield again
