"""Files as responses: ``wsgi.file_wrapper`` and ``uwsgi.sendfile()``.

A regular file is sent by the server itself, from the page cache into the connection, without Python: but only where it is certain that ``read()`` would give these very bytes. An object that decrypts,
unpacks or filters often lends the ``fileno()`` of the file below it. Everything that is not certain is read in blocks.
"""

from __future__ import annotations

import errno
import io
import operator
import os
import stat
import sys
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Literal, Optional, Tuple, Union

from _ugreen import is_connected, length_left, ready_fd, respond_file, send_file, suspend, wait_fd_read, write

if TYPE_CHECKING:
    from _typeshed import SupportsRead

    from ugreen._io import HasFileno

    _Path = Union[str, bytes, os.PathLike[str], os.PathLike[bytes]]

#: How much is read at once when the server cannot send the file itself.
BLOCK_BYTES = 64 * 1024

_Plain = Union[io.FileIO, io.BufferedReader, io.BufferedRandom]

# Attributes of a file object that may be set on it without changing what it reads. What is not here and is a method of the class is a method of somebody's own.
_METHODS = (set(dir(io.FileIO)) | set(dir(io.BufferedRandom))) - {"name", "mode"}


class FileWrapper:
    """``wsgi.file_wrapper(file[, block size])``: return it from the application to send the file from where it stands.

    It is also an iterable of blocks, for middleware that wants to see them. ``file`` needs a ``read(size)``; its ``close()`` is called at the end of the request.
    """

    def __init__(self, filelike: SupportsRead[bytes], blksize: int = BLOCK_BYTES) -> None:
        self.filelike = filelike
        self.blksize = blksize if blksize > 0 else BLOCK_BYTES
        # Before read() is asked for: a temporary file keeps what it was asked for among its own attributes.
        self._plain = _plain(filelike)
        self._read: Callable[[int], bytes] = filelike.read
        close = getattr(filelike, "close", None)
        if close is not None:
            self.close = close

    def __iter__(self) -> FileWrapper:
        return self

    def __next__(self) -> bytes:
        block = self._read(self.blksize)
        if not block:
            raise StopIteration
        return block


def respond(wrapper: FileWrapper) -> Optional[bool]:
    """Send what a FileWrapper stands for, as the driver's answer. True: the front sends it, and the response is no longer ours. False: iterate over ``blocks``. None: it was sent."""
    file = None if wrapper._plain is None else _regular(wrapper._plain)
    if file is None:
        return False
    fd, position, size = file
    left = max(0, size - position)
    if respond_file(fd, position, left):
        return True
    # Something was written before, so the file is only the rest of the body.
    send_file(fd, position, left)
    return None


def blocks(wrapper: FileWrapper) -> Iterable[bytes]:
    """What a FileWrapper reads, up to the Content-Length that the application gave: PEP 3333 has the file end there, as it does when the front sends it."""
    left = length_left()
    return wrapper if left < 0 else _first(wrapper, left)


def _first(wrapper: Iterable[bytes], left: int) -> Iterator[bytes]:
    if left <= 0:
        return
    for block in wrapper:
        # Anything but bytes is refused when it is sent.
        if isinstance(block, bytes) and len(block) >= left:
            yield block[:left]
            return
        yield block
        left -= len(block)


def sendfile(file: Union[_Path, int, SupportsRead[bytes], HasFileno], chunk: int = 0, pos: Optional[int] = None, size: int = 0, /) -> Optional[Literal[True]]:
    """Send a file as the next part of the response body, and wait until it is out.

    file    a path (str, bytes or PathLike), a file object, or a file descriptor
    chunk   bytes to read at once from what is not a regular file; 0: 64 KiB
    pos     where in the file to begin, in bytes; without it a file object is sent from where it stands, anything else from its beginning
    size    how many bytes; 0, or more than there are: to the end

    Returns True, or None when the path cannot be opened. Raises OSError when the client is gone, TypeError for objects that are no file, ValueError for negative numbers, SystemError where there is no
    request.
    """
    chunk, size = operator.index(chunk) or BLOCK_BYTES, operator.index(size)
    pos = None if pos is None else operator.index(pos)
    if chunk < 0 or size < 0 or (pos or 0) < 0:
        raise ValueError("sendfile(): chunk, pos and size must not be negative")
    if isinstance(file, (str, bytes, os.PathLike)):
        return _send_path(file, chunk, pos or 0, size)
    if isinstance(file, int):
        return _send_fd(file, chunk, pos or 0, size)
    plain = _plain(file)
    regular = None if plain is None else _regular(plain)
    if regular is not None:
        fd, position, total = regular
        return _send_part(fd, position if pos is None else pos, size, total)
    if hasattr(file, "read"):
        if pos is not None:
            file.seek(pos)  # type: ignore[union-attr]  # what cannot be positioned says so itself
        return _send_blocks(file.read, chunk, size)
    if hasattr(file, "fileno"):
        return _send_fd(file.fileno(), chunk, pos or 0, size)
    raise TypeError(f"sendfile(): file must be a path, a file object or a file descriptor, not {type(file).__name__}")


def _send_path(path: _Path, chunk: int, pos: int, size: int) -> Optional[Literal[True]]:
    try:
        # Without O_NONBLOCK a named pipe without a writer would stop the whole worker here.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    try:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            return None
        return _send_fd(fd, chunk, pos, size)
    finally:
        os.close(fd)


def _send_fd(fd: int, chunk: int, pos: int, size: int) -> Literal[True]:
    status = os.fstat(fd)
    if stat.S_ISREG(status.st_mode):
        if status.st_size > 0:
            return _send_part(fd, pos, size, status.st_size)
        # Those of /proc say that they are empty.
        return _send_blocks(_positioned(fd, pos), chunk, size)
    if pos:
        raise OSError(errno.ESPIPE, "sendfile(): only a regular file has positions")
    return _send_blocks(_patient(fd), chunk, size)


def _send_part(fd: int, pos: int, size: int, total: int) -> Literal[True]:
    left = max(0, total - pos)
    send_file(fd, pos, min(size, left) if size else left)
    return True


def _send_blocks(read: Callable[[int], bytes], chunk: int, size: int) -> Literal[True]:
    left = size
    while not size or left > 0:
        block = read(min(chunk, left) if size else chunk)
        if not block:
            break
        write(block)
        left -= len(block)
    return True


def _positioned(fd: int, pos: int) -> Callable[[int], bytes]:
    def read(count: int) -> bytes:
        nonlocal pos
        block = os.pread(fd, count, pos)
        pos += len(block)
        return block

    return read


def _patient(fd: int) -> Callable[[int], bytes]:
    """Read from a pipe or a socket, letting the other requests run while it is empty."""

    def read(count: int) -> bytes:
        while True:
            wait_fd_read(fd)
            suspend()
            # Something else that the application had registered may have ended the wait: then it begins anew.
            if ready_fd() == fd:
                try:
                    return os.read(fd, count)
                except BlockingIOError:
                    continue
            if not is_connected():
                raise OSError(errno.EPIPE, "write error: the client went away")

    return read


def _plain(file: Any) -> Optional[_Plain]:
    """The file of Python's own whose bytes are, for certain, what ``file.read()`` gives from where it stands; None for everything else.

    Only the exact classes count. A subclass, or an object that passes on what it is asked for, has a ``read()`` of its own or may have one, and its ``fileno()`` says nothing about that.
    """
    tempfile = sys.modules.get("tempfile")
    if tempfile is not None and type(file) is (wrapper := tempfile._TemporaryFileWrapper):
        # It takes from its file whatever neither it nor its class has.
        if "read" in vars(file) or "read" in vars(wrapper):
            return None
        file = file.file
    if type(file) is io.FileIO:
        return file if _METHODS.isdisjoint(vars(file)) else None
    if type(file) not in (io.BufferedReader, io.BufferedRandom):
        return None
    try:
        raw = file.raw
    except ValueError:
        # It was detached.
        return None
    return file if type(raw) is io.FileIO and _METHODS.isdisjoint(vars(file)) and _METHODS.isdisjoint(vars(raw)) else None


def _regular(file: _Plain) -> Optional[Tuple[int, int, int]]:
    """(fd, position, size) of a regular file; None for everything else."""
    try:
        if not file.readable():
            return None
        fd = file.fileno()
        # What was written to it and not yet handed to the system.
        file.flush()
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
            return None
        return fd, file.tell(), status.st_size
    except (OSError, ValueError):
        # Closed, or not to be positioned: read() will tell.
        return None
