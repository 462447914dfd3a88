"""Reads and writes of descriptors of every kind, and of numbers that were another kind's a moment ago; the path names what is done, all give "ok"."""

import ctypes
import errno
import fcntl
import os
import pty
import socket
import struct
import tempfile
import threading
import urllib.parse

import ugreen

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.fopen.restype = ctypes.c_void_p
MUCH = bytes(range(256)) * 4000


def later(function, *arguments):
    timer = threading.Timer(0.2, function, arguments)
    timer.start()
    return timer


def known_file():
    """A descriptor of which the server knows that it is a file."""
    fd, name = tempfile.mkstemp()
    os.unlink(name)
    os.write(fd, b"file")
    assert os.pread(fd, 10, 0) == b"file" and os.read(fd, 10) == b""
    return fd


def by_stream():
    name = tempfile.mkstemp()[1]
    stream = ctypes.c_void_p(LIBC.fopen(name.encode(), b"w+"))
    fd = LIBC.fileno(stream)
    os.unlink(name)
    os.write(fd, b"file")
    os.lseek(fd, 0, os.SEEK_SET)
    assert os.read(fd, 10) == b"file"
    LIBC.fclose(stream)
    return fd


def by_close():
    fd = known_file()
    os.close(fd)
    return fd


def by_object():
    stream = open(known_file(), "r+b", buffering=0)
    assert stream.read(1) == b""
    fd = stream.fileno()
    stream.close()
    return fd


def by_range():
    fd = known_file()
    os.closerange(fd, fd + 1)
    return fd


def by_close_range():
    fd = known_file()
    assert LIBC.close_range(fd, fd, 0) == 0
    return fd


CLOSED = {"close": by_close, "object": by_object, "range": by_range, "close_range": by_close_range, "fclose": by_stream}


def reused(how, end):
    """End 0 or 1 of a new pipe, under the number of a file that was read before; and the other end."""
    if how == "dup2":
        number = known_file()
        pipe = os.pipe()
        os.dup2(pipe[end], number)
    elif how == "dup3":
        number = known_file()
        pipe = os.pipe()
        assert LIBC.dup3(pipe[end], number, os.O_CLOEXEC) == number
    else:
        # Another thread may take the number first.
        pipe = os.pipe()
        for _ in range(50):
            number = CLOSED[how]()
            taken = fcntl.fcntl(pipe[end], fcntl.F_DUPFD, number)
            if taken == number:
                break
            os.close(taken)
        else:
            raise AssertionError("the number was never free")
    os.close(pipe[end])
    return number, pipe[1 - end]


# The other end is served by a green thread of the same hub: a call that blocks the hub is freed by a thread, too late.
def too_late(function, *arguments):
    timer = threading.Timer(2, function, arguments)
    timer.start()
    return timer


def read_all(fd, into):
    while part := os.read(fd, 65536):
        into.extend(part)


def reused_read(how):
    mine, other = reused(how, 0)
    timer = too_late(os.write, other, b"late")
    ugreen.spawn(os.write, other, b"x")
    assert os.read(mine, 10) == b"x"
    timer.cancel()
    os.close(mine)
    os.close(other)


def reused_write(how):
    mine, other = reused(how, 1)
    late = bytearray()
    timer = too_late(read_all, other, late)
    got = bytearray()
    reader = ugreen.spawn(read_all, other, got)
    assert os.write(mine, MUCH) == len(MUCH)
    os.close(mine)
    reader.join()
    timer.cancel()
    assert got == MUCH and not late
    os.close(other)


def raises(kind, function, *arguments):
    try:
        answer = function(*arguments)
    except kind:
        return
    raise AssertionError(f"{function} gave {answer!r}")


def not_blocking():
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    raises(BlockingIOError, os.read, read, 10)
    sent = os.write(write, MUCH)
    assert 0 < sent < len(MUCH)
    raises(BlockingIOError, os.write, write, b"x" * 4096)
    got = bytearray()
    while len(got) < sent:
        got += os.read(read, 65536)
    assert got == MUCH[:sent]
    raises(BlockingIOError, os.read, read, 10)
    os.close(write)
    assert os.read(read, 10) == b""
    os.close(read)
    raises(OSError, os.read, read, 10)
    raises(OSError, os.write, write, b"x")


def broken():
    read, write = os.pipe()
    assert os.write(write, b"") == 0 and os.write(write, b"ab") == 2 and os.read(read, 1) == b"a"
    os.close(read)
    raises(BrokenPipeError, os.write, write, b"x")
    raises(BrokenPipeError, os.write, write, MUCH)
    os.close(write)


def terminal():
    master, slave = pty.openpty()
    assert os.write(slave, b"once\n") == 5 and os.read(master, 100) == b"once\r\n"
    timer = later(os.write, slave, b"again\n")
    assert os.read(master, 100) == b"again\r\n"
    timer.join()
    os.close(master)
    os.close(slave)


def event():
    fd = os.eventfd(0)
    timer = later(os.eventfd_write, fd, 3)
    assert os.read(fd, 8) == struct.pack("Q", 3)
    timer.join()
    os.write(fd, struct.pack("Q", 4))
    assert os.eventfd_read(fd) == 4
    os.close(fd)


def sockets():
    left, right = socket.socketpair()
    with left, right:
        timer = later(os.write, right.fileno(), b"x")
        assert os.read(left.fileno(), 10) == b"x"
        timer.join()
        left.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 50_000))
        raises(BlockingIOError, os.read, left.fileno(), 10)
        got = bytearray()
        timer = later(read_all, right.fileno(), got)
        assert os.write(left.fileno(), MUCH) == len(MUCH)
        left.shutdown(socket.SHUT_WR)
        timer.join()
        assert got == MUCH


def reset():
    """The error of a connection that was reset is the first read's, and there is one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for write in (False, True):
            with socket.create_connection(listener.getsockname()) as ours:
                theirs, _ = listener.accept()
                theirs.sendall(b"x")
                assert os.read(ours.fileno(), 10) == b"x" and os.write(ours.fileno(), b"y") == 1
                theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                theirs.close()
                raises(ConnectionResetError, os.write if write else os.read, ours.fileno(), b"x" if write else 10)
                assert os.read(ours.fileno(), 10) == b""


def datagrams():
    """Each read is one of them, whatever is there."""
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with left, right:
        for part in [b"one", b"two", b"three"]:
            assert os.write(left.fileno(), part) == len(part)
        assert [os.read(right.fileno(), 100) for _ in range(3)] == [b"one", b"two", b"three"]


def vectors():
    """readv and writev, of files and of pipes."""
    fd = known_file()
    assert os.writev(fd, [b"ab", b"cd"]) == 4
    os.lseek(fd, 0, os.SEEK_SET)
    into = bytearray(6), bytearray(2)
    assert os.readv(fd, into) == 8 and into == (b"fileab", b"cd")
    os.close(fd)
    read, write = os.pipe()
    timer = later(os.writev, write, [b"x", b"y"])
    into = bytearray(1), bytearray(4)
    assert os.readv(read, into) == 2 and into[0] == b"x"
    timer.join()
    os.close(read)
    os.close(write)


def parts():
    return [MUCH[i:i + 100_000] for i in range(0, len(MUCH), 100_000)]


def much(write, close, fd):
    """A blocking write of several buffers writes all of them, while a green thread of the same hub reads."""
    got = bytearray()
    reader = ugreen.spawn(read_all, fd, got)
    assert write(parts()) == len(MUCH)
    close()
    reader.join()
    assert got == MUCH


def vectors_much():
    read, write = os.pipe()
    much(lambda data: os.writev(write, data), lambda: os.close(write), read)
    os.close(read)
    left, right = socket.socketpair()
    with left, right:
        much(lambda data: os.writev(left.fileno(), data), lambda: left.shutdown(socket.SHUT_WR), right.fileno())


def message_much():
    left, right = socket.socketpair()
    with left, right:
        much(left.sendmsg, lambda: left.shutdown(socket.SHUT_WR), right.fileno())


def message_with_file():
    """A descriptor goes with the first bytes, and once."""
    left, right = socket.socketpair()
    fd = known_file()
    with left, right:
        files = []

        def receive():
            got = bytearray()
            while len(got) < len(MUCH):
                data, control, _, _ = right.recvmsg(65536, 1000)
                got.extend(data)
                files.extend(struct.unpack("i", part[2][:4])[0] for part in control)
            assert got == MUCH

        reader = ugreen.spawn(receive)
        assert left.sendmsg(parts(), [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", fd))]) == len(MUCH)
        reader.join()
    assert len(files) == 1 and os.pread(files[0], 4, 0) == b"file"
    os.close(files[0])
    os.close(fd)


def message_whole():
    """MSG_WAITALL, into several buffers."""
    left, right = socket.socketpair()
    with left, right:
        timer = later(left.sendall, MUCH[3:1000])
        left.sendall(MUCH[:3])
        into = bytearray(400), bytearray(600)
        assert right.recvmsg_into(into, 0, socket.MSG_WAITALL)[0] == 1000
        assert b"".join(into) == MUCH[:1000]
        timer.join()
        left.sendall(b"rest")
        left.close()
        assert right.recvmsg(10, 0, socket.MSG_WAITALL)[0] == b"rest"


def wrong_vectors():
    read, write = os.pipe()
    for call in (LIBC.writev, LIBC.readv):
        for vectors, count, error in [(1, 1, errno.EFAULT), (0, -1, errno.EINVAL), (0, 1025, errno.EINVAL)]:
            assert call(write if call is LIBC.writev else read, ctypes.c_void_p(vectors), count) == -1 and ctypes.get_errno() == error, (call, vectors, count, ctypes.get_errno())
        assert call(-1, None, 0) == -1 and ctypes.get_errno() == errno.EBADF
    left, right = socket.socketpair()
    with left, right:
        for call in (LIBC.sendmsg, LIBC.recvmsg):
            assert call(left.fileno(), ctypes.c_void_p(1), 0) == -1 and ctypes.get_errno() == errno.EFAULT
    os.close(read)
    os.close(write)


def datagram_vectors():
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with left, right:
        assert os.writev(left.fileno(), [b"on", b"e"]) == 3 and left.sendmsg([b"tw", b"o"]) == 3
        assert [os.read(right.fileno(), 100) for _ in range(2)] == [b"one", b"two"]


def many_descriptors():
    """Numbers above those that are remembered."""
    limit = 5000
    read, write = os.pipe()
    high = fcntl.fcntl(read, fcntl.F_DUPFD, limit)
    timer = later(os.write, write, b"x")
    assert os.read(high, 10) == b"x"
    timer.join()
    for fd in (read, write, high):
        os.close(fd)


WAYS = {
    "not_blocking": not_blocking, "broken": broken, "terminal": terminal, "event": event, "sockets": sockets, "reset": reset, "datagrams": datagrams, "vectors": vectors, "many_descriptors": many_descriptors,
    "vectors_much": vectors_much, "message_much": message_much, "message_with_file": message_with_file, "message_whole": message_whole, "wrong_vectors": wrong_vectors,
    "datagram_vectors": datagram_vectors,
}


def application(environ, start_response):
    path = environ["PATH_INFO"].strip("/")
    asked = urllib.parse.parse_qs(environ["QUERY_STRING"])
    if path == "reused_read":
        reused_read(asked["how"][0])
    elif path == "reused_write":
        reused_write(asked["how"][0])
    else:
        WAYS[path]()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]
