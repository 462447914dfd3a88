"""Signals of the ``uwsgi`` module: numbers from 0 to 255 that timers, changes of files or other code raise, and handlers that run on green threads. Not POSIX signals."""

import time
from contextvars import ContextVar
from functools import partial
from typing import Callable, Deque, List, Optional, Tuple

from _ugreen import is_leader, signal_workers, taken_signal, worker_count, worker_id

from ugreen import _load
from ugreen._cron import Cron, minutes_since
from ugreen._report import tell
from ugreen._timers import SHORTEST, Job, Ticks, check_seconds, timekeeper
from ugreen._wait import Waiter, deque, forget

_THIS, _ALL = ("", "worker", "worker0"), ("workers", "active-workers")

# One for each is looked at every minute.
_MOST_CRONS = 10_000

#: The wall clock, in seconds since 1970; what cron entries go by.
wall_clock: Callable[[], float] = time.time


class _SignalWaiter(Waiter):
    """A ``signal_wait()``."""

    __slots__ = ("number", "wanted")

    def __init__(self, wanted: Optional[int]) -> None:
        super().__init__()
        self.wanted = wanted
        self.number = -1


class _Signal:
    """One of the numbers. The timekeeper delivers it, so that whatever raises it, only the hub's OS thread touches jobs and waiters."""

    __slots__ = ("cancelled", "handler", "job", "number", "target", "_posted", "_told")

    def __init__(self, number: int) -> None:
        self.cancelled = False
        self.number = number
        self.target = ""
        self.handler: Optional[Callable[[int], object]] = None
        self.job = Job(f"handler of signal {number}", f"the handler of signal {number}", lambda: None)
        self._posted = False
        self._told = False

    def signal(self) -> None:
        """Raise it in the workers that its handler's target names. Any thread."""
        if self._send():
            self.post()

    def due(self) -> None:
        """What raises it once per server, such as a timer, is due: every worker has it, and the leader raises it. On the hub's OS thread only."""
        if is_leader() and self._send():
            self.deliver()

    def changed(self) -> None:
        """The same for a change that every worker sees. Any thread."""
        if is_leader():
            self.signal()

    def _send(self) -> bool:
        """Raise it in the other workers that shall have it. Returns whether this one shall."""
        if self.target in _THIS:
            return True
        me = worker_id()
        worker = 0 if self.target in _ALL else int(self.target[len("worker"):])
        if worker != me:
            # Without a master there are no others, and nobody is to be told.
            signal_workers(self.number, worker)
        return worker in (0, me)

    def post(self) -> None:
        """Raise it in this worker. Any thread."""
        # Taken back before it is delivered; so whoever still sees it set has been in time.
        if not self._posted:
            self._posted = True
            try:
                timekeeper.post(self, 0)
            except BaseException:
                self._posted = False
                raise

    def tick(self, now: float) -> Optional[float]:
        """What ``post`` has asked for."""
        self._posted = False
        self.deliver()
        return None

    def deliver(self) -> None:
        """Wake those that wait for it and have its handler run. On the hub's OS thread only."""
        heard = self._wake_waiters()
        if self.handler is not None:
            self._told = False
            timekeeper.want(self.job, True)
        elif not heard and not self._told:
            self._told = True
            tell(f"signal {self.number} was raised, and it has no handler (told once)")

    def _wake_waiters(self) -> bool:
        heard = False
        for waiter in tuple(_waiters):
            if waiter.wanted not in (None, self.number):
                continue
            waiter.number = self.number
            heard = waiter.grant() or heard
            forget(_waiters, waiter)  # type: ignore[arg-type]
        return heard


_signals = [_Signal(number) for number in range(256)]
_waiters: Deque[_SignalWaiter] = deque()
_received: ContextVar[Optional[int]] = ContextVar("uwsgi.signal_received", default=None)


def register_signal(signum: int, target: str, handler: Callable[[int], object], /) -> None:
    """Have ``handler(signum)`` run, on a green thread of its own, when a signal is raised.

    ``target``: which worker runs it. "", "worker" and "worker0": the one where the signal is raised; "workers" and "active-workers": all that run; "worker2": that one. ValueError for another target, for a number
    outside 0 to 255, and while the application is loaded for a number that has another handler. Later the new handler replaces the old one. TypeError when ``handler`` cannot be called.
    """
    found = _signal("register_signal", signum)
    _check_target("register_signal", target)
    if not callable(handler):
        raise TypeError(f"register_signal(): the handler is not callable, it is a {type(handler).__name__}")
    if found.handler not in (None, handler) and _load.under_way():
        raise ValueError(f"register_signal(): signal {signum} has a handler already, {getattr(found.handler, '__qualname__', found.handler)}")
    # So that a core is kept for the timekeeper from now on.
    timekeeper.begin()
    found.job.call = partial(handler, signum)
    found.job.name = f"{getattr(handler, '__qualname__', type(handler).__name__)}, handler of signal {signum}"
    found.target, found.handler = target, handler


def signal(signum: int, remote: str = "", /) -> None:
    """Raise a signal: its handler runs when the caller waits next. Raised while its handler runs, it has the handler run once more, however often it was raised. Any thread.

    It is raised in the workers that its handler's target names (see ``register_signal``); one that is not there or just being replaced misses it.

    ``remote``: another server is not supported, ValueError. RuntimeError when the server is stopping.
    """
    found = _signal("signal", signum)
    if remote:
        raise ValueError(f"signal(): signals to another server ({remote}) are not supported")
    found.signal()


def receive() -> None:
    """Deliver what other workers have raised here. Called by the server, on the hub's OS thread."""
    while (number := taken_signal()) >= 0:
        try:
            _signals[number].post()
        except RuntimeError:
            # This worker is stopping, or has no room for the timekeeper; the latter is told where a handler is registered.
            pass


def signal_registered(signum: int, /) -> Optional[bool]:
    """True when a signal has a handler, else None."""
    return True if _signal("signal_registered", signum).handler is not None else None


def signal_wait(signum: Optional[int] = None, /) -> bytes:
    """Wait until a signal is raised, this one or, without a number, any; ``signal_received()`` tells which. Only this green thread (or OS thread) waits. Returns b"".

    What was raised before does not count. A handler runs besides, and need not have ended. SystemError while the application is loaded.
    """
    wanted = None if signum is None else _signal("signal_wait", signum).number
    if _load.in_this_thread():
        raise SystemError("signal_wait(): nothing can be raised here while the application is loaded")
    timekeeper.begin()
    waiter = _SignalWaiter(wanted)
    _waiters.append(waiter)
    try:
        waiter.wait()
    finally:
        forget(_waiters, waiter)  # type: ignore[arg-type]
    _received.set(waiter.number)
    return b""


def signal_received() -> Optional[int]:
    """Number of the signal that ended the last ``signal_wait()`` of this request, green thread or OS thread; None before."""
    return _received.get()


def add_timer(signum: int, secs: float, /) -> None:
    """Raise a signal every so many seconds, which may have fractions, at fixed distances from now on. ValueError for less than 0.001.

    Once per server, however many workers call this: only the first worker raises it, and another takes over when that one is not there.
    """
    _add_ticks("add_timer", signum, secs, 0)


def add_ms_timer(signum: int, ms: float, /) -> None:
    """Raise a signal every so many milliseconds, at least 1 (ValueError). TypeError when ``ms`` is no number. Once per server, see ``add_timer``."""
    found = _signal("add_ms_timer", signum)
    if not isinstance(ms, (int, float)):
        raise TypeError("add_ms_timer(): the number of milliseconds must be an int or a float")
    _add_ticks("add_ms_timer", found.number, ms / 1000, 0)


def add_rb_timer(signum: int, secs: float, iterations: int = 0, /) -> None:
    """Raise a signal every so many seconds, ``iterations`` times; 0: for ever. Once per server, see ``add_timer``; each worker counts by itself."""
    if not isinstance(iterations, int) or iterations < 0:
        raise (ValueError if isinstance(iterations, int) else TypeError)("add_rb_timer(): iterations must be an int of at least 0")
    _add_ticks("add_rb_timer", signum, secs, iterations)


def _add_ticks(function: str, signum: int, secs: float, times: int) -> None:
    found = _signal(function, signum)
    check_seconds(function, secs, SHORTEST)
    timekeeper.room(function)
    Ticks(secs, times, found.due).begin(secs)


def add_cron(signum: int, minute: int, hour: int, day: int, month: int, weekday: int, /) -> bool:
    """Raise a signal at the minutes of the local time that all five numbers meet, from the next minute on, once per server (see ``add_timer``). Returns True.

    -1: any; -k: each that can be divided by k. Weekdays are 0 to 6 from Sunday; 7 is Sunday, too. With both a day and a weekday it is due on either. An hour that the clock leaves out in spring has no
    runs, one that comes twice in autumn has them twice. ValueError for a number out of its range.
    """
    found = _signal("add_cron", signum)
    try:
        cron = Cron(minute, hour, day, month, weekday)
    except (TypeError, ValueError) as error:
        raise type(error)(f"add_cron(): {error}") from None
    _crons.add(cron, found)
    return True


class _Crons:
    """All cron entries, looked at when a minute of the wall clock begins. So it does not matter when that clock is set."""

    def __init__(self) -> None:
        self.cancelled = False
        self._entries: List[Tuple[Cron, _Signal]] = []
        self._absent: List[None] = [None]
        self._last = 0

    def add(self, cron: Cron, found: _Signal) -> None:
        if len(self._entries) >= _MOST_CRONS:
            raise RuntimeError(f"add_cron(): there are {_MOST_CRONS} entries already; is one made in every request?")
        timekeeper.begin()
        self._entries.append((cron, found))
        try:
            self._absent.pop()
        except IndexError:
            return
        self._last = int(wall_clock() // 60)
        timekeeper.post(self, 0)

    def tick(self, now: float) -> Optional[float]:
        wall = wall_clock()
        minute = int(wall // 60)
        minutes = minutes_since(self._last, minute)
        if minutes:
            for cron, found in list(self._entries):
                if cron.due_in(minutes):
                    found.due()
            self._last = minute
        return now + max(SHORTEST, (minute + 1) * 60 - wall)


_crons = _Crons()


def add_file_monitor(signum: int, path: str, /) -> None:
    """Raise a signal when a file changes: is written, truncated, touched, renamed, deleted, made or replaced; for a folder, also when something in it is.

    The file need not be there yet, its folder must (OSError that names it); TypeError when ``path`` is no str. Changes that come together raise it once; in one worker only, see ``add_timer``. Symbolic
    links are followed; that a folder on the way to the file is exchanged for another (a link to a release, say) is not seen.
    """
    found = _signal("add_file_monitor", signum)
    if not isinstance(path, str):
        raise TypeError(f"add_file_monitor(): the path must be a str, it is a {type(path).__name__}")
    timekeeper.begin()
    # Here, because ctypes is of no use to anybody else.
    from ugreen._monitors import monitor

    monitor(path, found.changed)


def free_signal() -> int:
    """The lowest number without a handler; for ``uwsgidecorators``. RuntimeError when all have one."""
    for found in _signals:
        if found.handler is None:
            return found.number
    raise RuntimeError("all 256 signals have a handler")


def _signal(function: str, signum: int) -> _Signal:
    if not isinstance(signum, int):
        raise TypeError(f"{function}(): the signal must be an int, it is a {type(signum).__name__}")
    if not 0 <= signum <= 255:
        raise ValueError(f"{function}(): {signum} is no signal: they are 0 to 255")
    return _signals[signum]


def _check_target(function: str, target: str) -> None:
    if not isinstance(target, str):
        raise TypeError(f"{function}(): the target must be a str, it is a {type(target).__name__}")
    if target in _THIS or target in _ALL:
        return
    if target.startswith("worker"):
        number = target[len("worker"):]
        if number.isascii() and number.isdigit() and 1 <= int(number) <= worker_count:
            return
        raise ValueError(f"{function}(): there is no {target!r}: this server has {worker_count if worker_count > 1 else 'one'} worker{'s' if worker_count > 1 else ''}")
    for kind, name in (("mule", "mules"), ("farm", "farms of mules"), ("spooler", "a spooler"), ("subscribed", "subscriptions")):
        if target.startswith(kind):
            raise ValueError(f"{function}(): the target {target!r} is not supported: this server is without {name}")
    raise ValueError(f"{function}(): unknown target {target!r}: say '' or 'worker'")
