"""``uwsgi.async_connect()``, ``connect()``, ``send()``, ``recv()``, ``close()``: plain file descriptors, and only the green thread that calls ever waits.

In the original these block the worker where a descriptor is in blocking mode. Here the mode says what the caller expects: ``recv()`` waits on a descriptor in blocking mode (as
``connect()`` returns), and does not on one in non-blocking mode (as ``async_connect()`` returns); but neither holds up anybody else.
"""

import errno
import fcntl
import operator
import os
import select
import socket
from time import monotonic
from typing import Any, Callable, Literal, Optional, Union

from _ugreen import connection_fd, disconnect, wait_one, write
from ugreen._addresses import resolve
from ugreen._arguments import descriptor, seconds
from ugreen._io import HasFileno
from ugreen._time import sleep

#: What connect() waits when it is not told otherwise, in seconds; as in uWSGI.
CONNECT_SECONDS = 3
#: The most that recv() returns at once. Asking for more must not cost memory that may not be needed.
MAX_RECEIVE_BYTES = 64 * 1024

# A pipe that is ready for writing takes at least this many bytes without blocking (one page, see pipe(7)); there is no call to write as much as goes.
_PIPE_BYTES = 4096

# Between two attempts to enter the queue of a unix socket that is full: the kernel does not tell when it no longer is.
_QUEUE_SECONDS = 0.01

# What the caller has done wrong. All else is the network's and the other side's, and is told by None, as in uWSGI.
_MISTAKES = (errno.EBADF, errno.EINVAL, errno.EISDIR)

Data = Union[bytes, bytearray, memoryview]

_CLIENT_ONLY: Any = object()


def async_connect(addr: str, /) -> int:
    """Begin to connect; do not wait for the end.

    addr is "host:port", "[IPv6]:port", the path of a unix socket, or "@name" of an abstract one. Returns a file descriptor in non-blocking mode, or -1 when it failed at once.
    Then wait until it can be written and ask ``is_connected(fd)``::

        fd = uwsgi.async_connect("127.0.0.1:8001")
        uwsgi.wait_fd_write(fd, 3)
        uwsgi.suspend()
        if uwsgi.ready_fd() == fd and uwsgi.is_connected(fd): ...

    Only a host name makes this green thread wait, for its lookup; of several addresses the first that can be tried counts. Raises TypeError or ValueError for what is no address.
    """
    for family, address in resolve("async_connect", addr):
        sock = _open(family)
        if sock is None:
            continue
        with sock:
            if sock.connect_ex(address) in (0, errno.EINPROGRESS):
                return sock.detach()
    return -1


def connect(addr: str, timeout: float = 0, /) -> int:
    """Connect; this green thread waits until that is done.

    addr as for async_connect(); all addresses of a host name are tried in turn. timeout is in seconds for all of it, fractions count; 0 or less means 3.
    Returns a file descriptor in blocking mode (so recv() waits), or -1 when it failed or the time was over. Raises TypeError or ValueError for what is no address.
    """
    limit = seconds("connect", "timeout", timeout)
    end = monotonic() + (limit if limit > 0 else CONNECT_SECONDS)
    for family, address in resolve("connect", addr, end):
        sock = _open(family)
        if sock is None:
            continue
        with sock:
            if _is_through(sock, address, end):
                sock.setblocking(True)
                return sock.detach()
    return -1


def send(fd: Union[int, HasFileno, Data], data: Any = _CLIENT_ONLY, /) -> Optional[Literal[True]]:
    """``send(data)``: write bytes into this request's response. ``send(fd, data)``: write all bytes to a file descriptor.

    This green thread waits while the client, or fd, takes nothing, whatever the mode of fd. Returns True when everything is out, None when the other side is gone.
    The bytes of send(data) are part of the response's body, as with ``write()``, so start_response() must have been called (AssertionError), and they count for its Content-Length
    (ValueError for more). Raises TypeError when data is not bytes, OSError when fd cannot be written.
    """
    if data is _CLIENT_ONLY:
        return _send_to_client(_bytes(fd))
    view = _bytes(data)
    number = descriptor("send", fd)
    if _is_client(number):
        return _send_to_client(view)
    blocks = _blocks("send", number, os.O_RDONLY)
    while view:
        sent = _attempt("send", number, _write, blocks, view)
        if sent is None:
            return None
        if sent < 0:
            _wait("send", number, True)
        else:
            view = view[sent:]
    return True


def recv(fd: Union[int, HasFileno], max: int = 4096, /) -> Optional[bytes]:
    """Read once from a file descriptor; at most max bytes, at most 64 KiB.

    In blocking mode this green thread waits until there is something. In non-blocking mode it does not, as in uWSGI: None when nothing is there. None also at the end, and when the
    connection is broken; so wait with wait_fd_read() first where that matters. Raises OSError when fd cannot be read, ValueError when max is less than 1, TypeError when it is no int.
    """
    try:
        size = operator.index(max)
    except TypeError:
        raise TypeError(f"recv(): max must be an int, not {type(max).__name__}") from None
    if size < 1:
        raise ValueError("recv(): max must be at least 1")
    number = descriptor("recv", fd)
    if _is_client(number):
        raise OSError(errno.EPERM, f"recv(): fd {number} is the client's connection, which the server reads: use wsgi.input")
    blocks = _blocks("recv", number, os.O_WRONLY)
    while (data := _attempt("recv", number, _read, blocks, min(size, MAX_RECEIVE_BYTES))) == -1:
        if not blocks:
            return None
        _wait("recv", number, False)
    return data or None


def close(fd: Union[int, HasFileno], /) -> None:
    """Close a file descriptor. Returns None, also when it was none: errors are ignored, as in uWSGI. For the client's connection this is disconnect()."""
    try:
        number = descriptor("close", fd)
    except OSError:
        return
    if _is_client(number):
        # The server's own: closed under it, the number could be that of another client's connection a moment later.
        disconnect()
        return
    try:
        os.close(number)
    except OSError:
        pass


def _open(family: int) -> Optional[socket.socket]:
    """A non-blocking socket that started programs do not inherit; None when there can be none."""
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError:
        return None
    sock.setblocking(False)
    return sock


def _is_through(sock: socket.socket, address: Any, end: float) -> bool:
    while True:
        error = sock.connect_ex(address)
        left = end - monotonic()
        if error == 0:
            return True
        if left <= 0:
            return False
        if error == errno.EAGAIN:
            sleep(min(left, _QUEUE_SECONDS))
        elif error == errno.EINPROGRESS:
            return wait_one(sock.fileno(), True, left) and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        else:
            return False


def _send_to_client(view: memoryview) -> Optional[Literal[True]]:
    try:
        write(bytes(view))
    except BrokenPipeError:
        return None
    return True


def _attempt(function: str, number: int, step: Callable[[int, bool, Any], Any], blocks: bool, argument: Any) -> Any:
    """What one system call gave: its result, -1 when it would block, None when the other side is gone."""
    try:
        return step(number, blocks, argument)
    except BlockingIOError:
        return -1
    except OSError as error:
        if error.errno not in _MISTAKES:
            return None
        raise OSError(error.errno, f"{function}(): fd {number} cannot be {'written' if step is _write else 'read'} ({errno.errorcode[error.errno]})") from None


def _read(number: int, blocks: bool, size: int) -> bytes:
    if not blocks:
        return os.read(number, size)
    sock = _as_socket(number)
    if sock is not None:
        try:
            return sock.recv(size, socket.MSG_DONTWAIT)
        finally:
            sock.detach()
    _must_be_ready(number, select.POLLIN)
    return os.read(number, size)


def _write(number: int, blocks: bool, view: memoryview) -> int:
    if not blocks:
        return os.write(number, view)
    sock = _as_socket(number)
    if sock is not None:
        try:
            return sock.send(view, socket.MSG_DONTWAIT)
        finally:
            sock.detach()
    _must_be_ready(number, select.POLLOUT)
    return os.write(number, view[:_PIPE_BYTES])


def _as_socket(number: int) -> Optional[socket.socket]:
    """A socket object that borrows the descriptor (detach it), for calls that do not block whatever its mode; None when it is no socket."""
    try:
        # Family and type do not matter to those calls; named, the kernel need not be asked for them.
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, number)
    except OSError as error:
        if error.errno != errno.ENOTSOCK:
            raise
        return None
    if sock.gettimeout() is not None:
        # socket.setdefaulttimeout() was called: such an object would wait by itself, and has changed the mode of the descriptor.
        sock.settimeout(None)
    return sock


def _must_be_ready(number: int, events: int) -> None:
    poll = select.poll()
    poll.register(number, events)
    if not poll.poll(0):
        raise BlockingIOError(errno.EAGAIN, "it would block")


def _wait(function: str, number: int, writes: bool) -> None:
    # Registrations of this and of other green threads for the same descriptor are not touched.
    before = os.fstat(number)
    wait_one(number, writes)
    try:
        same = os.path.samestat(before, os.fstat(number))
    except OSError:
        same = False
    if not same:
        # To go on would be to take what is for others.
        raise OSError(errno.EBADF, f"{function}(): fd {number} was closed while this waited for it")


def _blocks(function: str, number: int, forbidden: int) -> bool:
    """Whether the descriptor is in blocking mode. Raises OSError when it is closed, or open only for what is forbidden."""
    try:
        flags = fcntl.fcntl(number, fcntl.F_GETFL)
    except OSError as error:
        raise OSError(error.errno, f"{function}(): fd {number} is closed ({errno.errorcode[error.errno]})") from None
    if flags & os.O_ACCMODE == forbidden:
        # A wait for what it can never do would not end.
        raise OSError(errno.EBADF, f"{function}(): fd {number} is open for {'reading' if forbidden == os.O_RDONLY else 'writing'} only")
    return not flags & os.O_NONBLOCK


def _is_client(number: int) -> bool:
    """Whether it is the connection of the request that runs here."""
    try:
        return number == connection_fd()
    except SystemError:
        # No request: another OS thread, import time.
        return False


def _bytes(data: Any) -> memoryview:
    try:
        return memoryview(data).cast("B")
    except TypeError:
        raise TypeError(f"send(): data must be bytes, not {type(data).__name__}") from None
