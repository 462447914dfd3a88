"""``uwsgi.lock()``: locks that all workers of the server share.

Within this process a lock of green threads, which lets them in in their order. Between processes a lock of the kernel's on one byte of a file for each number: it belongs to the open file, so every worker opens the
file itself, and the kernel takes it back from one that dies.
"""

import fcntl
import os
import struct
from typing import List, Optional

import _ugreen

from ugreen._sync import Lock
from ugreen._time import sleep

# struct flock of Linux on machines of 64 bits: l_type, l_whence, l_start, l_len, l_pid (0 for these locks).
_FLOCK = struct.Struct("@hhqqi4x")

# There is no way to be told when another process lets go that holds up nobody here, so it is asked, at growing distances.
_SHORTEST, _LONGEST = 0.001, 0.05


class Locks:
    """Some locks, by number from 0."""

    def __init__(self, count: int, path: Optional[str]) -> None:
        """``path``: the file, which other processes have too; None: the locks hold in this process only."""
        self._locks: List[Lock] = [Lock() for _ in range(count)]
        self._fd = -1 if path is None else os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def check(self, number: int) -> int:
        """Raise TypeError or ValueError for what is no number of a lock."""
        if not isinstance(number, int):
            raise TypeError(f"the number of a lock must be an int, it is a {type(number).__name__}")
        if not 0 <= number < len(self._locks):
            raise ValueError(f"Invalid lock number: {number}; there are locks 0 to {len(self._locks) - 1}, see --locks")
        return number

    def lock(self, number: int) -> None:
        """Wait until nobody has it, and take it."""
        inner = self._locks[self.check(number)]
        inner.acquire()
        if self._fd < 0:
            return
        try:
            pause = _SHORTEST
            while not self._take(number):
                sleep(pause)
                pause = min(2 * pause, _LONGEST)
        except BaseException:
            inner.release()
            raise

    def unlock(self, number: int) -> None:
        """Let go of it, whoever in this process took it. Nothing happens when nobody here has it."""
        inner = self._locks[self.check(number)]
        # One that still waits for another process has only the inner lock; the kernel does not mind.
        if not inner.locked():
            return
        if self._fd >= 0:
            self._set(fcntl.F_UNLCK, number)
        try:
            inner.release()
        except RuntimeError:
            # Another OS thread was faster.
            pass

    def is_locked(self, number: int) -> bool:
        """Whether anybody has it, or is the next who gets it."""
        if self._locks[self.check(number)].locked():
            return True
        if self._fd < 0:
            return False
        found = fcntl.fcntl(self._fd, fcntl.F_OFD_GETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, number, 1, 0))
        return int(_FLOCK.unpack(found)[0]) != fcntl.F_UNLCK

    def _take(self, number: int) -> bool:
        try:
            self._set(fcntl.F_WRLCK, number)
        except BlockingIOError:
            return False
        except PermissionError:
            # The other error that POSIX allows for "somebody has it".
            return False
        return True

    def _set(self, kind: int, number: int) -> None:
        fcntl.fcntl(self._fd, fcntl.F_OFD_SETLK, _FLOCK.pack(kind, os.SEEK_SET, number, 1, 0))


_locks = Locks(1 + _ugreen.locks, _ugreen.lock_file)


def lock(n: int = 0, /) -> None:
    """Take lock ``n``, which all workers of the server share; wait while another request, thread or worker has it. Only this green thread (or OS thread) waits, and may be interrupted.

    Within a worker they get it in their order; between workers it is asked for again after 1 to 50 ms. Whoever has it and takes it again waits for ever. A worker that dies has let go of it. ValueError for a number
    beyond ``--locks`` (0: there is lock 0 only).
    """
    _locks.lock(n)


def unlock(n: int = 0, /) -> None:
    """Let go of lock ``n``. As with uWSGI nobody checks who took it in this worker; nothing happens when nobody here has."""
    _locks.unlock(n)


def is_locked(n: int = 0, /) -> bool:
    """Whether anybody has lock ``n``, in whatever worker."""
    return _locks.is_locked(n)
