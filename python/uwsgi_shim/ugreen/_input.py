"""Request bodies: ``wsgi.input``, and ``uwsgi.chunked_read()`` over the same bytes."""

from __future__ import annotations

import io
import operator
from typing import TYPE_CHECKING, List, Optional, cast

from _ugreen import async_id, cl, cores, read_into

from ugreen._arguments import seconds

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: Also the longest piece that chunked_read() returns.
BUFFER_BYTES = 64 * 1024

# A read of more is put together from pieces: what an application asks for may be far more than there is, and asking must not cost memory.
_WHOLE_READ_BYTES = 1024 * 1024

# The reader of the request that runs on each core, if its request has a body; kept by open_body() and close_body().
_readers: List[Optional[_Input]] = [None] * cores


def open_body(core: int) -> _Input:
    """The ``wsgi.input`` of the request with a body that begins on this core."""
    reader = _readers[core] = _Input(_Body(), BUFFER_BYTES)
    return reader


def close_body(core: int) -> None:
    """Its request is over."""
    _readers[core] = None


def chunked_read(timeout: float = 0, /) -> bytes:
    """The next piece of the request body as bytes, ``b""`` at its end; waits until there is one.

    timeout is in seconds, fractions count; 0 waits as long as it takes. Raises OSError when nothing came in that time (a later
    call goes on), or when the body broke off; ValueError when the time is not a number; SystemError where there is no request. A piece is what has arrived, at most 64 KiB, and has nothing to do with the
    chunks on the wire. Bytes are shared with ``wsgi.input``: each is read once, in order, in whatever way.
    """
    limit = seconds("chunked_read", "timeout", timeout)
    # None is for those who do not wait.
    return cast(bytes, _read_piece(limit if 0 < limit < 1e9 else None))


def chunked_read_nb() -> Optional[bytes]:
    """The next piece of the request body if one is there; ``b""`` at its end, None when nothing has arrived. Raises OSError when the body broke off, SystemError where there is no request."""
    return _read_piece(0)


def _read_piece(timeout: Optional[float]) -> Optional[bytes]:
    core = async_id()
    reader = _readers[core] if core >= 0 else None
    if reader is None:
        # No body; outside of requests this raises.
        cl()
        return b""
    raw = reader.raw
    raw.timeout = timeout
    try:
        piece = reader.read1(BUFFER_BYTES)
    except OSError as error:
        raise OSError(error.errno, f"unable to receive chunked part: {error.strerror}") from None
    finally:
        raw.timeout = None
        nothing, raw.nothing = raw.nothing, False
    return None if nothing else piece


class NoBody(io.RawIOBase):
    """The body of a request that has none. One object serves all requests, so it keeps nothing and cannot be closed."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        return 0

    def read(self, size: int = -1) -> bytes:
        return b""

    def close(self) -> None:
        pass


class _Body(io.RawIOBase):
    """The request body as it arrives; parks the green thread while there is nothing to read."""

    #: Seconds for the next read, 0 for one that does not wait; None as long as it takes.
    timeout: Optional[float] = None
    #: True after a read that did not wait and found nothing.
    nothing = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> Optional[int]:
        if self.timeout is None:
            return read_into(buffer)
        count = read_into(buffer, self.timeout)
        self.nothing = count is None
        return count

    def readall(self) -> bytes:
        buffer = memoryview(bytearray(BUFFER_BYTES))
        found = io.BytesIO()
        while count := self.readinto(buffer):
            found.write(buffer[:count])
        return found.getvalue()


class _Input(io.BufferedReader):
    """Python's own buffered reader does sizes, readline(), readlines() and iteration to the letter, in C."""

    raw: _Body

    def read(self, size: Optional[int] = -1, /) -> bytes:
        if size is not None and type(size) is not int:
            size = operator.index(size)
        if size is None or size < 0:
            return super().read()
        if size > _WHOLE_READ_BYTES:
            # The reader itself would first make a bytes object of that size, also for a client that sends less.
            found = io.BytesIO()
            while size > 0 and (piece := super().read(min(size, _WHOLE_READ_BYTES))):
                found.write(piece)
                size -= len(piece)
            return found.getvalue()
        return super().read(size)
