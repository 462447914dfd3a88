"""Waiting for time, and limits of time."""

import time as _time
from types import TracebackType
from typing import Optional, Type

from _ugreen import cancel_deadline, deadline, green_id, park

from ugreen._wait import Waiter


def sleep(seconds: float = 0) -> None:
    """Wait ``seconds``; the other green threads run. With 0 or less they run once and this one goes on. In another OS thread this is ``time.sleep``.

    Unlike ``time.sleep`` it lets others run also with ``--ugreen-blocking=false``, and an exception is raised in it. Unlike ``uwsgi.async_sleep`` it waits by itself. Raises TypeError for what is no number.
    """
    if green_id() < 0:
        _time.sleep(max(seconds, 0))
    elif seconds <= 0:
        _Yield().once()
    else:
        Waiter().wait(seconds)


class _Yield:
    def once(self) -> None:
        # A permit that is left over from an earlier wait would be taken instead of yielding; it means nothing any more.
        while park(0):
            pass


class Timeout(TimeoutError):
    """A block under ``timeout()`` took too long. It is a TimeoutError, hence an OSError."""

    #: The block whose time was over.
    timeout: "_Block"

    def __init__(self, seconds: float) -> None:
        """``seconds``: the limit that the block had."""
        super().__init__(f"timed out after {seconds:g} seconds")
        #: The limit that the block had, in seconds.
        self.seconds = seconds


class timeout:
    """Limit how long a block of code may wait::

        with ugreen.timeout(5):
            answer = fetch()

    When the time is over, Timeout (a TimeoutError) is raised at the point where the green thread waits; code that computes is not interrupted until it waits. Blocks may be
    nested; each one's exception knows it (``error.timeout is that_block``). Do not ``yield`` to the server within the block: the wait for the client would be ended in the server's
    code, and with it the response. With ``quiet=True`` the block just ends, and ``expired`` tells.

    Only on green threads: elsewhere entering the block raises RuntimeError. So does entering it a second time before it has ended.
    """

    def __init__(self, seconds: Optional[float], quiet: bool = False) -> None:
        """``seconds``: the limit, a float; None: none. ``quiet``: whether the block just ends when the time is over."""
        #: The limit in seconds, or None.
        self.seconds = seconds
        #: Whether the block just ends when the time is over.
        self.quiet = quiet
        #: Whether the time was over before the block was.
        self.expired = False
        self._error: Optional[Timeout] = None
        self._number = 0

    def __enter__(self) -> "timeout":
        if self._error is not None:
            raise RuntimeError("a timeout serves one block at a time")
        self.expired = False
        if self.seconds is not None:
            self._error = Timeout(self.seconds)
            self._error.timeout = self
            self._number = deadline(self.seconds, self._error)
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> bool:
        mine = self._error
        if mine is None:
            return False
        self._error = None
        try:
            self.expired = not cancel_deadline(self._number)
        except BaseException as late:
            # A call of C was ended for it and failed in its own way, which is the context of this one.
            self.expired = late is mine
            if self.quiet and self.expired:
                return True
            raise
        return self.quiet and error is mine


_Block = timeout

__all__ = ["Timeout", "sleep", "timeout"]
