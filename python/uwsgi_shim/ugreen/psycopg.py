"""psycopg (version 3) on green threads, by a class of connections; nothing of psycopg is changed.

::

    from ugreen.psycopg import connect

    with connect("dbname=shop") as conn:
        rows = conn.execute("SELECT * FROM goods").fetchall()       # the other requests run meanwhile

psycopg asks its connection to wait (``Connection.wait``), so a class of connections is all it takes. Connections of ``psycopg.connect()`` wait green, too, but a query
that is given up goes on at the server, and its connection is of no use any more.
"""

import select
from time import monotonic
from typing import Any, Callable, Generator, Optional

import psycopg
from psycopg import errors
from psycopg.waiting import Ready, Wait

from _ugreen import wait_one

from ugreen import _cancel
from ugreen._sync import Event, Lock
from ugreen._time import timeout as limit

#: Seconds that a query which was given up may take to end at the server before its connection is closed.
CANCEL_SECONDS = 5.0


class Connection(psycopg.Connection[Any]):
    """A psycopg connection whose waits let the other green threads run. Several of them may use it: each waits for its turn.

    An exception that is raised in a wait (a time limit, an interrupt) goes on to the application. The query is cancelled at the server before, and the connection stays usable (its
    transaction has failed); when the server does not answer within five seconds the connection is closed.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # It is held while a query runs. threading's would stop the worker, where blocking calls do not wait green, as soon as a second green thread wants it.
        self.lock = Lock()  # type: ignore[assignment]

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **kwargs: Any) -> Any:
        """psycopg's hook: run a generator of its own to its end, waiting as it says."""
        try:
            return _run(gen, self.pgconn.socket)
        except _Interrupted as interrupted:
            self._give_up(gen)
            raise interrupted.error from None

    def cancel(self) -> None:
        """Ask the server to cancel what this connection does; another green thread waits for that. Raises what psycopg raises."""
        job = _Job(super().cancel)
        _cancel.send(job)
        job.done.wait()
        if job.error is not None:
            raise job.error

    def _give_up(self, gen: Generator[Any, Any, Any]) -> None:
        """End the query at the server, and take what it says of that."""
        limited = limit(CANCEL_SECONDS)
        try:
            _cancel.send(_Job(self.pgconn.get_cancel().cancel))
            with limited:
                _run(gen, self.pgconn.socket)
        except psycopg.Error:
            pass
        except _Interrupted as second:
            self.pgconn.finish()
            if getattr(second.error, "timeout", None) is not limited:
                raise second.error from None
        except Exception:
            # psycopg's generator was not where it can be gone on with.
            self.pgconn.finish()

    @classmethod
    def _wait_conn(cls, gen: Generator[Any, Any, Any], timeout: Optional[float] = None) -> Any:
        end = monotonic() + timeout if timeout else None
        try:
            fd, wanted = next(gen)
            while True:
                left = None if end is None else max(end - monotonic(), 0)
                ready = _ready(fd, wanted, left)
                if not ready:
                    raise errors.ConnectionTimeout("connection timeout expired")
                fd, wanted = gen.send(ready)
        except _Interrupted as interrupted:
            raise interrupted.error from None
        except StopIteration as stop:
            return stop.value


class _Job:
    """What is called on another OS thread, because libpq waits in it."""

    def __init__(self, function: Callable[[], None]) -> None:
        self._function = function
        self.done = Event()
        self.error: Optional[BaseException] = None

    def __call__(self) -> None:
        try:
            self._function()
        except BaseException as error:
            self.error = error
        self.done.set()


class _Interrupted(BaseException):
    """Keeps apart what a wait raised and what psycopg raised."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def _run(gen: Generator[Any, Any, Any], fd: int) -> Any:
    try:
        wanted = next(gen)
        while True:
            wanted = gen.send(_ready(fd, wanted, None))
    except StopIteration as stop:
        return stop.value


def _ready(fd: int, wanted: Wait, seconds: Optional[float]) -> int:
    """Wait until the descriptor is as wanted. Returns what it is ready for; 0 when the time was over."""
    try:
        if wanted == Wait.R:
            return Ready.R if wait_one(fd, False, seconds) else 0
        if wanted == Wait.W:
            return Ready.W if wait_one(fd, True, seconds) else 0
        # An epoll instance is a descriptor that is readable when one of its own is ready, for whatever.
        with select.epoll() as both:
            both.register(fd, select.EPOLLIN | select.EPOLLOUT)
            if not wait_one(both.fileno(), False, seconds):
                return 0
            happened = both.poll(0)[0][1]
        return (Ready.R if happened & ~select.EPOLLOUT else 0) | (Ready.W if happened & ~select.EPOLLIN else 0)
    except BaseException as error:
        raise _Interrupted(error) from None


#: As ``psycopg.connect``, for connections of the class above.
connect = Connection.connect

__all__ = ["Connection", "connect"]
