"""Bad input to functions of the C library that wait: what each answers. Run by plain Python and in a request, which must give the same."""

import ctypes
import errno
import os
import select
import socket
import struct
import time

LIBC = ctypes.CDLL(None, use_errno=True)


def ask(function, *arguments):
    """What a function of C returns, or the name of its error."""
    ctypes.set_errno(0)
    result = getattr(LIBC, function)(*arguments)
    return result if result >= 0 else errno.errorcode.get(ctypes.get_errno(), result)


def tell(call):
    """What Python makes of it."""
    try:
        return repr(call())
    except (OSError, ValueError, OverflowError) as error:
        return errno.errorcode.get(getattr(error, "errno", None), type(error).__name__)


def on_descriptor(fd):
    """All that take a descriptor."""
    room, size = ctypes.create_string_buffer(256), ctypes.c_size_t(8)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(room), 8)
    header = (ctypes.c_void_p * 8)(None, None, ctypes.addressof(vector), 1, None, None, None, None)
    one, bits = struct.pack("ihh", fd, 1, 0), ctypes.create_string_buffer(128)
    polled = ctypes.create_string_buffer(one, 8)
    if 0 <= fd < 1024:
        bits[fd // 8] = 1 << (fd % 8)
    no_time = (ctypes.c_long * 2)(0, 0)
    lock = struct.pack("hhqqixxxx", 1, 0, 0, 0, 0)
    return {
        "recv": ask("recv", fd, room, size, 0),
        "__recv_chk": ask("__recv_chk", fd, room, size, size, 0),
        "recvfrom": ask("recvfrom", fd, room, size, 0, None, None),
        "recvmsg": ask("recvmsg", fd, header, 0),
        "recvmmsg": ask("recvmmsg", fd, header, 1, 0, None),
        "send": ask("send", fd, room, size, 0),
        "sendto": ask("sendto", fd, room, size, 0, None, 0),
        "sendmsg": ask("sendmsg", fd, header, 0),
        "sendmmsg": ask("sendmmsg", fd, header, 1, 0),
        "read": ask("read", fd, room, size),
        "readv": ask("readv", fd, vector, 1),
        "write": ask("write", fd, room, size),
        "write_much": ask("write", fd, room, ctypes.c_size_t(0)),
        "writev": ask("writev", fd, vector, 1),
        "writev_parts": ask("writev", fd, vector, -1),
        "connect": ask("connect", fd, struct.pack("h14x", socket.AF_INET), 16),
        "accept": ask("accept", fd, None, None),
        "accept4": ask("accept4", fd, None, None, 0),
        "poll": (ask("poll", polled, 1, 50), struct.unpack("ihh", polled.raw[:8])[2]),
        "ppoll": (ask("ppoll", polled, 1, no_time, None), struct.unpack("ihh", polled.raw[:8])[2]),
        "select": ask("select", fd + 1, bits, None, None, no_time) if 0 <= fd < 256 else ask("select", -1, bits, None, None, no_time),
        "epoll_wait": ask("epoll_wait", fd, room, 1, 50),
        "epoll_pwait2": ask("epoll_pwait2", fd, room, 1, no_time, None),
        "flock": ask("flock", fd, 2),
        "lockf": ask("lockf", fd, 1, ctypes.c_long(0)),
        "fcntl": ask("fcntl", fd, 7, lock),
        "sendfile": ask("sendfile", fd, fd, None, size),
        "splice": ask("splice", fd, None, fd, None, size, 0),
        "waitid": ask("waitid", 3, fd, room, 4),
    }


def closed():
    fd = os.open("/dev/null", os.O_RDONLY)
    os.close(fd)
    return [on_descriptor(number) for number in (fd, -1, 1_000_000)]


def of_another_kind():
    """Descriptors that are open, but not what the function is for."""
    answers = []
    null, folder, pollset = os.open("/dev/null", os.O_RDWR), os.open("/", os.O_RDONLY), select.epoll()
    for fd in (null, folder, pollset.fileno()):
        answers.append(on_descriptor(fd))
        # Locks that were taken, and a set that contains itself, would be in the way of the next.
        LIBC.flock(fd, 8)
    os.close(null)
    os.close(folder)
    pollset.close()
    return answers


def times():
    """Times that are none, negative or over."""
    one = (ctypes.c_long * 2)
    far, negative, past = one(0, 2_000_000_000), one(-1, 0), one(1, 0)
    sem = ctypes.create_string_buffer(64)
    LIBC.sem_init(sem, 0, 0)
    left, right = socket.socketpair()
    polled = ctypes.create_string_buffer(struct.pack("ihh", left.fileno(), 1, 0), 8)
    answers = [[
        ask("nanosleep", wrong, None), ask("clock_nanosleep", 1, 0, wrong, None), ask("clock_nanosleep", 1, 1, wrong, None), ask("clock_nanosleep", 77, 0, past, None),
        ask("sem_timedwait", sem, wrong), ask("sem_clockwait", sem, 1, wrong), ask("sem_clockwait", sem, 77, past),
        ask("ppoll", polled, 1, wrong, None), ask("pselect", 0, None, None, None, wrong, None), ask("select", 0, None, None, None, negative),
        ask("epoll_pwait2", LIBC.epoll_create1(0), polled, 1, wrong, None), ask("recvmmsg", left.fileno(), polled, 1, 0, wrong),
    ] for wrong in (far, negative)]
    answers.append([ask("sem_timedwait", sem, past), ask("sem_clockwait", sem, 1, past), ask("clock_nanosleep", 1, 1, past, None), ask("nanosleep", None, None)])
    for call in (lambda: time.sleep(-1), lambda: time.sleep(1e20), lambda: left.settimeout(-1), lambda: select.select([], [], [], -1)):
        answers.append(tell(call))
    left.close()
    right.close()
    return answers


def others():
    """Children, threads and names that are not there."""
    found, room = ctypes.c_void_p(), ctypes.create_string_buffer(64)
    return [
        ask("waitpid", 999_999_999, None, 0), ask("wait4", 999_999_999, None, 0, None), ask("waitid", 1, 999_999_999, room, 4), ask("waitid", 9, 1, room, 4), ask("waitpid", 999_999_999, None, 0x1000),
        ask("getaddrinfo", None, None, None, ctypes.byref(found)) != 0, ask("getnameinfo", room, 3, room, 10, None, 0, 0) != 0, ask("system", None),
    ]


def all_answers():
    return {"closed": closed(), "kinds": of_another_kind(), "times": times(), "others": others()}
