"""Green threads that the application starts by itself: functions without a request."""

import os
import traceback
from types import FrameType
from typing import Any, Callable, Dict, Generic, List, Optional, Tuple, TypeVar
from weakref import WeakValueDictionary

from _ugreen import alive, green_id, greens, interrupt, raise_told, set_daemon, spawn as _start, spawn_cores

from ugreen import _fork, _holders
from ugreen._report import report
from ugreen._time import Timeout
from ugreen._wait import Waiter, deque, forget, grant_all

T = TypeVar("T")

_PACKAGE = os.path.dirname(__file__) + "/"


class GreenExit(BaseException):
    """Raised in a green thread that is killed, where it waits. Like SystemExit it passes ``except Exception``; let it pass, too, after cleaning up."""


class Killed(RuntimeError):
    """The result of a green thread was asked for that has been killed."""


class SpawnLimit(RuntimeError):
    """As many green threads run as ``--ugreen-spawn-max`` allows; use a Pool to wait for a free one."""


class GreenThread(Generic[T]):
    """One green thread: made by ``spawn()``, or got from ``current()``.

    It ends when its function returns or raises, or when it is killed. An exception that nobody waits for is written to the log, with its traceback.
    """

    __slots__ = ("name", "__weakref__", "_at_end", "_call", "_daemon", "_ended", "_error", "_heard", "_id", "_is_request", "_joiners", "_kill", "_result")

    #: What the green thread is called in ``dump()`` and in the log; may be set.
    name: str

    def __init__(self, name: str, call: "Optional[Tuple[Callable[..., T], Tuple[Any, ...], Any]]", number: int = -1) -> None:
        """For this package only: use ``spawn()``."""
        self.name = name
        self._id = number
        self._call = call
        self._is_request = call is None
        self._at_end: "Optional[Callable[[GreenThread[T]], None]]" = None
        self._heard = False
        self._daemon = False
        self._ended = False
        self._result: Optional[T] = None
        self._error: Optional[BaseException] = None
        self._kill: Optional[BaseException] = None
        self._joiners: "deque[Waiter]" = deque()

    @property
    def id(self) -> int:
        """Number that no other green thread has, has had or will have; -1 before it begins to run."""
        return self._id

    @property
    def daemon(self) -> bool:
        """Whether a graceful stop of the server goes without waiting for it; False at first. It is then killed."""
        return self._daemon

    @daemon.setter
    def daemon(self, daemon: bool) -> None:
        self._daemon = bool(daemon)
        if self._id >= 0:
            set_daemon(self._id, self._daemon)

    @property
    def is_request(self) -> bool:
        """Whether it runs a request: then it was not spawned, and has no result."""
        return self._is_request

    def done(self) -> bool:
        """Whether it has ended."""
        return self._ended or (self._id >= 0 and not alive(self._id))

    def join(self, timeout: Optional[float] = None) -> bool:
        """Wait until it has ended; ``timeout`` is in seconds. Returns whether it has. Raises RuntimeError for oneself and for a request."""
        if self._ended:
            return True
        if self._id >= 0 and self._id == green_id():
            raise RuntimeError("a green thread cannot wait for its own end")
        if self.is_request:
            raise RuntimeError("the end of a request cannot be waited for")
        waiter = Waiter()
        self._joiners.append(waiter)
        # Asked again, because another OS thread may have seen the end of it between the question above and the append.
        if self._ended:
            forget(self._joiners, waiter)
            return True
        try:
            return waiter.wait(timeout)
        finally:
            forget(self._joiners, waiter)

    def result(self, timeout: Optional[float] = None) -> T:
        """Wait for its end and return what its function returned, or raise what it raised. Raises Timeout after ``timeout`` seconds, Killed when it was killed."""
        error = self.exception(timeout)
        if error is None:
            return self._result  # type: ignore[return-value]
        if isinstance(error, GreenExit):
            raise Killed(f"the green thread {self.name} was killed")
        try:
            raise error
        finally:
            # The traceback holds this frame: no circle that only the collector would find.
            del error, self

    def exception(self, timeout: Optional[float] = None) -> Optional[BaseException]:
        """Wait for its end and return the exception that ended it (a GreenExit when it was killed), or None. Raises Timeout after ``timeout`` seconds."""
        if not self.join(timeout):
            raise Timeout(timeout or 0)
        return self._error

    def kill(self, exception: Optional[BaseException] = None) -> None:
        """End it: raise ``exception`` (an exception object; by default a GreenExit) in it where it waits, or in its next wait. What it has not begun is not begun.

        Does not wait for the end; ``join()`` does. Killing one that has ended does nothing. Any thread may kill. Code that computes without waiting is not interrupted.
        Raises TypeError when ``exception`` is none.
        """
        error = GreenExit() if exception is None else exception
        if not isinstance(error, BaseException):
            raise TypeError("kill(): an exception object is expected")
        if self._ended:
            return
        # In this order: whichever of the two it has not seen yet when it begins, it sees the other.
        self._kill = error
        if self._id >= 0:
            interrupt(self._id, error, True)

    def _run(self) -> None:
        # The first thing in the new green thread, and the last.
        assert self._call is not None
        function, arguments, keywords = self._call
        self._call = None
        self._id = green_id()
        _handles[self._id] = self
        if self._daemon:
            set_daemon(self._id, True)
        try:
            if self._kill is not None:
                raise self._kill
            self._result = function(*arguments, **keywords)
            if _fork.forked:
                _fork.end(None, returned=True)
        except BaseException as error:
            if _fork.forked:
                _fork.end(error)
            try:
                raise_told()
            except BaseException as told:
                # A call of C was ended for it and failed in its own way.
                error = told
            if not isinstance(error, GreenExit) and not self._heard and not self._joiners:
                report(f"the green thread {self.name} failed", error)
            self._error = error
        finally:
            self._ended = True
            grant_all(self._joiners)
            if self._at_end is not None:
                self._at_end(self)
            # The traceback of an error holds this frame: no circle that only the collector would find, and nothing that the function was given.
            del self, function, arguments, keywords

    def __repr__(self) -> str:
        state = "ended" if self.done() else "not begun" if self._id < 0 else "runs"
        return f"<ugreen.GreenThread {self.name} {state}>"


_handles: "WeakValueDictionary[int, GreenThread[Any]]" = WeakValueDictionary()


def spawn(function: Callable[..., T], /, *arguments: Any, **keywords: Any) -> "GreenThread[T]":
    """Run ``function(*arguments, **keywords)`` in a green thread of its own, beside the requests, and return its GreenThread::

        thread = ugreen.spawn(fetch, url)
        ...
        page = thread.result(timeout=5)

    It begins when the caller waits next. It has no request: ``uwsgi`` functions about one raise SystemError, and ``contextvars`` start fresh, as in a new OS thread
    (``spawn(contextvars.copy_context().run, function)`` hands the caller's on). When the server stops gracefully it is waited for like a request, unless ``daemon`` is set.

    May be called by any thread, also while the application is loaded. Raises SpawnLimit when ``--ugreen-spawn-max`` of them run, TypeError when ``function`` cannot be called,
    RuntimeError when the server is stopping.
    """
    thread = prepare(function, arguments, keywords)
    start(thread)
    return thread


def prepare(function: Callable[..., T], arguments: Tuple[Any, ...], keywords: Any) -> "GreenThread[T]":
    """A green thread that has not been started. For this package only."""
    if not callable(function):
        raise TypeError(f"spawn(): the function is not callable, it is a {type(function).__name__}")
    return GreenThread(getattr(function, "__qualname__", type(function).__name__), (function, arguments, keywords))


def start(thread: "GreenThread[Any]") -> None:
    """Start it. For this package only."""
    if not _start(thread._run, thread._daemon):
        raise SpawnLimit(f"{spawn_cores} spawned green threads run already; see --ugreen-spawn-max")


def current() -> "Optional[GreenThread[Any]]":
    """The green thread that calls; None in another OS thread and while the application is loaded."""
    number = green_id()
    if number < 0:
        return None
    thread = _handles.get(number)
    if thread is None:
        # That this one has no handle says that it was not spawned.
        title = greens(number)[0][3]
        thread = _handles[number] = GreenThread(title or "request", None, number)
    return thread


def dump() -> str:
    """What every green thread does, as text: requests and spawned ones, parked ones included, each with its Python stack. For a log, a debugging page, a signal handler.

    A call that waits is named, with its descriptor and the other end; of a lock it says who holds it, where that can be known.

    May be called by any thread, so a watchdog thread can tell where a worker hangs.
    """
    mine = green_id()
    parts: List[str] = []
    all_greens = greens()
    states = _lock_states(all_greens)
    for number, core, state, request, frame in all_greens:
        state += states.get(number, "")
        handle = _handles.get(number)
        what = request if request is not None else f"spawned {handle.name}" if handle is not None else "spawned"
        parts.append(f"green thread {number} on core {core}, {what}: {'calls dump()' if number == mine else state}\n{_stack(frame)}")
    return "\n".join(parts)


def _lock_states(all_greens: "List[Tuple[int, int, str, Optional[str], Optional[FrameType]]]") -> Dict[int, str]:
    """Of those that wait for locks: for which, and who holds it, where that can be known."""
    waits = _holders.waits()
    if not waits:
        return {}
    frames = {number: (core, frame) for number, core, _, _, frame in all_greens}
    claims = {number: _holders.claims_of(frame) for number, (_, frame) in frames.items()}
    states = {}
    for number, wait in waits.items():
        by = _holders.holder(wait, frames, claims)
        states[number] = f" for {wait.name}" + (f", held by {by}" if by is not None else "")
    return states


def _stack(frame: Optional[FrameType]) -> str:
    if frame is None:
        return "  (has not begun)\n"
    calls = traceback.extract_stack(frame)
    # How this package waits, and how a request is served, is nobody's question; when there is nothing else, it is the answer.
    own = [call for call in calls if not call.filename.startswith(_PACKAGE)]
    return "".join(traceback.format_list(own or calls))


__all__ = ["GreenExit", "GreenThread", "Killed", "SpawnLimit", "current", "dump", "spawn"]
