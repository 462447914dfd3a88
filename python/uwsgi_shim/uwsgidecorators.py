"""Decorators for the signals, timers and threads of the ``uwsgi`` module, with the names and calls of uWSGI's module of this name.

Each returns the function that it was given, except ``thread`` and ``harakiri``. Where no number of a signal is given, the lowest without a handler is taken. Handlers get that number.

What belongs to mules, the spooler and RPC is not there: importing such a name is an ImportError, as programs that can do without it expect.
"""

import functools
import threading
from typing import Any, Callable, NoReturn, Optional, TypeVar, Union, cast

import uwsgi
from ugreen import _load, _locks, _signals

F = TypeVar("F", bound=Callable[..., Any])

_MISSING = {
    "spool": "spooler", "spoolforever": "spooler", "spoolraw": "spooler",
    "mule": "mules", "muleloop": "mules", "mulefunc": "mules", "mulemsg": "mules", "farm": "mules", "farm_loop": "mules", "farm_msg": "mules",
    "rpc": "RPC", "erlang": "Erlang",
}


def __getattr__(name: str) -> NoReturn:
    if name in _MISSING:
        raise ImportError(f"uwsgidecorators.{name} is not there: this server is without {_MISSING[name]}", name=__name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def signal(num: int, target: str = "") -> Callable[[F], F]:
    """Make the function the handler of a signal."""
    return _handler(num, target, None)


def timer(secs: float, signum: Optional[int] = None, target: str = "") -> Callable[[F], F]:
    """Run the function every so many seconds; see ``uwsgi.add_timer``."""
    return _handler(signum, target, lambda number: _signals.add_timer(number, secs))


def mstimer(ms: float, signum: Optional[int] = None, target: str = "") -> Callable[[F], F]:
    """Run the function every so many milliseconds; see ``uwsgi.add_ms_timer``."""
    return _handler(signum, target, lambda number: _signals.add_ms_timer(number, ms))


def rbtimer(secs: float, signum: Optional[int] = None, target: str = "") -> Callable[[F], F]:
    """Run the function every so many seconds; see ``uwsgi.add_rb_timer``."""
    return _handler(signum, target, lambda number: _signals.add_rb_timer(number, secs))


def cron(minute: int, hour: int, day: int, month: int, dayweek: int, signum: Optional[int] = None, target: str = "") -> Callable[[F], F]:
    """Run the function by the calendar; see ``uwsgi.add_cron``."""
    return _handler(signum, target, lambda number: _signals.add_cron(number, minute, hour, day, month, dayweek))


def filemon(fsobj: str, signum: Optional[int] = None, target: str = "") -> Callable[[F], F]:
    """Run the function when a file changes; see ``uwsgi.add_file_monitor``."""
    return _handler(signum, target, lambda number: _signals.add_file_monitor(number, fsobj))


def _handler(signum: Optional[int], target: str, arm: Optional[Callable[[int], object]]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        number = _signals.free_signal() if signum is None else signum
        _signals.register_signal(number, target, function)
        if arm is not None:
            arm(number)
        return function

    return decorate


def postfork(function: Union[F, int]) -> Any:
    """Call the function when the application has been loaded, before the first request; at once when it has been. ``@postfork(2)``: in worker 2 only, counted from 1.

    What it raises goes to the log.
    """
    if not callable(function):
        worker = function
        return lambda function: postfork(function) if worker == uwsgi.worker_id() else function
    _load.when_loaded(function)
    return function


def lock(function: F) -> F:
    """Run the function under lock 0, in one worker, request or thread at a time; see ``uwsgi.lock``. It must not call itself, or another one that is decorated so."""

    @functools.wraps(function)
    def locked(*arguments: Any, **keywords: Any) -> Any:
        _locks.lock()
        try:
            return function(*arguments, **keywords)
        finally:
            _locks.unlock()

    return cast(F, locked)


def thread(function: F) -> Callable[..., F]:
    """Let a call of the function run it in an OS thread of its own, a daemon, and return the function at once.

    For what blocks: green threads need no decorator, see ``ugreen.spawn``.
    """

    @functools.wraps(function)
    def start(*arguments: Any, **keywords: Any) -> F:
        threading.Thread(target=function, args=arguments, kwargs=keywords, daemon=True).start()
        return function

    return start


def harakiri(seconds: float) -> Callable[[F], F]:
    """Limit how long a call of the function may take, in a request; see ``uwsgi.set_user_harakiri``."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(*arguments: Any, **keywords: Any) -> Any:
            uwsgi.set_user_harakiri(seconds)
            try:
                return function(*arguments, **keywords)
            finally:
                uwsgi.set_user_harakiri(0)

        return cast(F, call)

    return decorate
