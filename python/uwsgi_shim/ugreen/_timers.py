"""Work that begins by time: ``every()``, ``after()``, and the green thread that knows what is due. The signals of the ``uwsgi`` module are on the same one.

However many timers there are, one green thread waits for the next of them. It starts each run on a green thread of its own, which may wait for whatever it likes.
"""

from functools import partial, update_wrapper
from heapq import heapify, heappop, heappush
from itertools import count
from time import monotonic
from typing import Any, Callable, Deque, Generic, List, Optional, ParamSpec, Protocol, Tuple, TypeVar, Union, overload

from _ugreen import spawn_cores

from ugreen._green import GreenExit, GreenThread, SpawnLimit, prepare, start
from ugreen._report import report, tell
from ugreen._sync import Event
from ugreen._wait import deque

P = ParamSpec("P")
T = TypeVar("T")

#: Shorter is a mistake: the worker would do nothing else.
SHORTEST = 0.001
_LONGEST = 100 * 365 * 24 * 3600.0

# A timer that is made in every request and never ends must be noticed before the memory is gone: 100,000 of them are about 120 MB.
MOST = 100_000

# How often a run asks for a free core while other green threads than ours hold all of them. The end of one of ours is noticed at once.
_RETRY = 0.05

# The least that the timekeeper waits between two looks.
_BREATH = 0.0005

# A run that has waited this long for a core is told about.
_PATIENCE = 1.0


class Job:
    """A function of the application. Each run has a green thread of its own, and runs of one job never overlap.

    Its state is touched on the hub's OS thread only, between two waits, so it needs no locks.
    """

    __slots__ = ("call", "name", "title", "stopped", "_again", "_busy")

    def __init__(self, name: str, title: str, call: Callable[[], object]) -> None:
        """``name``: of the green thread, for ``dump()``; ``title``: for the log."""
        self.name = name
        self.title = title
        self.call = call
        #: True: runs that have not begun never will.
        self.stopped = False
        self._busy = False
        self._again = False

    def wanted(self, again: bool) -> bool:
        """Ask for a run. False when one is under way or waits for a core; ``again`` then has one more follow it (one, however often it is asked for)."""
        if self._busy:
            self._again = self._again or again
            return False
        self._busy = True
        return True

    def ended(self) -> bool:
        """The run is over. True when another is to follow."""
        self._busy = self._again and not self.stopped
        self._again = False
        return self._busy

    def run(self) -> None:
        """What its green thread runs."""
        try:
            self.call()
        except GreenExit:
            raise
        except BaseException as error:
            # SystemExit too: a background function must not end more than itself.
            report(f"{self.title} failed", error)


class Item(Protocol):
    """What the timekeeper calls at a time."""

    cancelled: bool

    def tick(self, now: float) -> Optional[float]:
        """Do what is due. ``now`` is of time.monotonic(), as is what this returns: when it is due again; None: never."""
        ...


class Timekeeper:
    """The green thread that waits for what is due next. It begins with the first thing to wait for."""

    def __init__(self) -> None:
        # Holds one thing while the green thread does not run: who takes it out starts it.
        self._absent: List[None] = [None]
        self._wake = Event()
        self._numbers = count()
        # What other code adds, until this green thread takes it into its heap; appending is one step, whatever thread does it.
        self._news: Deque[Tuple[float, int, Item]] = deque()
        self._heap: List[Tuple[float, int, Item]] = []
        # One for each item in the heap that was cancelled.
        self._cancelled: List[None] = []
        self._waiting: Deque[Job] = deque()
        self._short_since: Optional[float] = None
        self._told = False

    def begin(self) -> None:
        """Start the green thread, if it does not run. Any thread. Raises SpawnLimit when there is no core for it, RuntimeError when the server is stopping."""
        try:
            self._absent.pop()
        except IndexError:
            return
        try:
            if spawn_cores < 2:
                raise SpawnLimit(f"timers and signals need room for at least two spawned green threads, and there is room for {spawn_cores}; see --ugreen-spawn-max")
            thread = prepare(self._serve, (), {})
            thread.name = "ugreen timers"
            thread._daemon = True
            start(thread)
        except BaseException:
            self._absent.append(None)
            raise

    def post(self, item: Item, due: float) -> None:
        """Have the item called at a time of time.monotonic(). Any thread. Raises as ``begin()`` does."""
        self.begin()
        self._news.append((due, next(self._numbers), item))
        self._wake.set()

    def room(self, function: str) -> None:
        """Raise RuntimeError when there are too many items."""
        if len(self._heap) + len(self._news) >= MOST:
            raise RuntimeError(f"{function}(): {MOST} timers wait already; is one made in every request?")

    def forget(self) -> None:
        """An item that waits was cancelled. Any thread."""
        self._cancelled.append(None)

    def want(self, job: Job, again: bool) -> None:
        """Have a job run as soon as there is a core for it; see ``Job.wanted``. For what ``tick()`` calls."""
        if job.wanted(again):
            self._waiting.append(job)

    def _serve(self) -> None:
        try:
            while True:
                self._wake.clear()
                self._sort_in()
                self._fire()
                limit = None if self._start_runs() else _RETRY
                if self._heap:
                    left = self._heap[0][0] - monotonic()
                    # Never without waiting at all: the others must run, however much is due.
                    limit = max(_BREATH, left if limit is None else min(left, limit))
                self._wake.wait(limit)
        finally:
            self._absent.append(None)

    def _sort_in(self) -> None:
        while self._news:
            heappush(self._heap, self._news.popleft())
        if len(self._cancelled) > 100 and len(self._cancelled) * 2 > len(self._heap):
            self._cancelled.clear()
            self._heap = [entry for entry in self._heap if not entry[2].cancelled]
            heapify(self._heap)

    def _fire(self) -> None:
        now = monotonic()
        while self._heap and self._heap[0][0] <= now:
            item = heappop(self._heap)[2]
            due = None if item.cancelled else item.tick(now)
            if due is not None:
                heappush(self._heap, (due, next(self._numbers), item))

    def _start_runs(self) -> bool:
        """Start what waits for a core. False when there is none."""
        while self._waiting:
            job = self._waiting[0]
            if not job.stopped:
                try:
                    self._start(job)
                except SpawnLimit:
                    self._complain()
                    return False
                except RuntimeError:
                    # The server is stopping: this green thread hears it in its next wait.
                    self._waiting.clear()
                    return True
            self._waiting.popleft()
        self._short_since, self._told = None, False
        return True

    def _start(self, job: Job) -> None:
        thread: GreenThread[None] = prepare(job.run, (), {})
        thread.name = job.name
        thread._daemon = True
        thread._at_end = partial(self._ended, job)
        start(thread)

    def _ended(self, job: Job, _: "GreenThread[Any]") -> None:
        if job.ended():
            self._waiting.append(job)
        # The core of this run is free when the timekeeper comes to look.
        if self._waiting:
            self._wake.set()

    def _complain(self) -> None:
        if self._short_since is None:
            self._short_since = monotonic()
        elif not self._told and monotonic() - self._short_since > _PATIENCE:
            self._told = True
            tell(f"{len(self._waiting)} timers or signal handlers wait for a free core: {spawn_cores} spawned green threads run; see --ugreen-spawn-max")


timekeeper = Timekeeper()


class Ticks:
    """Something at start + period, start + 2 periods and so on: how long it takes does not shift the next. Points in time that were missed, because Python code computed, count as one."""

    def __init__(self, period: float, times: int, fire: Callable[[], None]) -> None:
        """``period``: seconds; ``times``: how often, 0 for ever."""
        self.cancelled = False
        self._start = monotonic()
        self._period = period
        self._left = times
        self._fire = fire
        # Of the periods that will have gone by at the next tick.
        self._number = 1

    def begin(self, delay: float) -> None:
        """Let it tick, for the first time ``delay`` seconds after it was made: the period, or 0."""
        self._number = 1 if delay else 0
        timekeeper.post(self, self._start + delay)

    def tick(self, now: float) -> Optional[float]:
        """See Item."""
        self._fire()
        if self._left:
            self._left -= 1
            if not self._left:
                self.cancelled = True
                return None
        # Counted besides, because of rounding: no number twice, and nothing that is due already.
        self._number = max(self._number, int((now - self._start) / self._period)) + 1
        while (due := self._start + self._number * self._period) <= now:
            self._number += 1
        return due


class Timer(Generic[P, T]):
    """What ``every()`` and ``after()`` return. Calling it calls the function, at once and where the caller is."""

    def __init__(self, what: str, seconds: float, times: int, function: Callable[P, T], call: Callable[[], object]) -> None:
        """For this package only: use ``every()`` or ``after()``. ``seconds``: between two runs. Raises TypeError when ``function`` cannot be called."""
        if not callable(function):
            raise TypeError(f"{what}(): the function is not callable, it is a {type(function).__name__}")
        timekeeper.room(what)
        update_wrapper(self, function)
        name = getattr(function, "__qualname__", type(function).__name__)
        self._function = function
        self._job = Job(f"{name}, by ugreen.{what}()", f"the timer {name}", call)
        self._ticks = Ticks(seconds, times, partial(timekeeper.want, self._job, False))

    def __call__(self, *arguments: P.args, **keywords: P.kwargs) -> T:
        return self._function(*arguments, **keywords)

    def cancel(self) -> None:
        """No run begins any more. One that is under way goes on. Any thread may call, also the function itself; a second time does nothing."""
        if not self._ticks.cancelled:
            self._ticks.cancelled = True
            timekeeper.forget()
        self._job.stopped = True

    @property
    def cancelled(self) -> bool:
        """Whether ``cancel()`` was called."""
        return self._job.stopped

    def __repr__(self) -> str:
        return f"<ugreen.Timer {self._job.name}{', cancelled' if self.cancelled else ''}>"


@overload
def every(seconds: float, function: None = None, /, *, now: bool = False) -> Callable[[Callable[P, T]], Timer[P, T]]: ...


@overload
def every(seconds: float, function: Callable[P, T], /, *, now: bool = False) -> Timer[P, T]: ...


def every(seconds: float, function: Optional[Callable[P, T]] = None, /, *, now: bool = False) -> Union[Timer[P, T], Callable[[Callable[P, T]], Timer[P, T]]]:
    """Run a function without arguments every so many seconds, beside the requests, in each worker by itself (``uwsgi.add_timer`` is once per server). A decorator, or a function::

        @ugreen.every(60)
        def refresh():
            ...

        timer = ugreen.every(0.5, look)
        timer.cancel()

    The first run comes after ``seconds`` (with ``now=True`` at once), the others at fixed distances from then on, however long each takes. A run that is still under way when the
    next is due is not disturbed: that one is left out. Each run is a green thread of its own, so the function may wait; what it raises goes to the log, and the timer goes on. A graceful
    stop of the server does not wait for it.

    May be called by any thread, also while the application is loaded: then the time begins there, and the first run comes when the server is ready at the earliest. Raises ValueError for less
    than 0.001 seconds, TypeError for what is no number or cannot be called, RuntimeError when 100,000 timers wait or the server is stopping, SpawnLimit when there is no core for
    the green thread of the first timer.
    """
    check_seconds("every", seconds, SHORTEST)
    if function is None:
        return partial(_every, seconds, now)
    return _every(seconds, now, function)


def _every(seconds: float, now: bool, function: Callable[P, T]) -> Timer[P, T]:
    timer = Timer("every", seconds, 0, function, function)
    timer._ticks.begin(0 if now else seconds)
    return timer


def after(seconds: float, function: Callable[P, T], /, *arguments: P.args, **keywords: P.kwargs) -> Timer[P, T]:
    """Run ``function(*arguments, **keywords)`` once, in so many seconds, beside the requests; 0: as soon as the others have run. Otherwise as ``every()``."""
    check_seconds("after", seconds, 0)
    # Not a partial of something that cannot be called: Timer says it better.
    call = partial(function, *arguments, **keywords) if callable(function) else function
    timer = Timer("after", seconds, 1, function, call)
    timer._ticks.begin(seconds)
    return timer


def check_seconds(function: str, seconds: float, least: float) -> None:
    """Raise TypeError or ValueError, with the function's name, for what is no time."""
    if not isinstance(seconds, (int, float)):
        raise TypeError(f"{function}(): the number of seconds must be an int or a float")
    if not least <= seconds <= _LONGEST:
        raise ValueError(f"{function}(): the number of seconds must be between {least:g} and {_LONGEST:.0f}, it is {seconds!r}")


__all__ = ["Timer", "after", "every"]
