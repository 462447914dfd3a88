"""Python's handlers of POSIX signals: they run on the hub's OS thread at once, and those that the server needs stay the server's.

Not the signals of the ``uwsgi`` module; those are in ``_signals``.
"""

import _signal  # type: ignore[import]
import faulthandler
import signal
import sys
from typing import Any, Dict, Optional, Set

import _ugreen
from ugreen._report import tell

#: The server stops by these, and what else stops servers relies on it. What the application sets for one holds in forked children only.
KEPT = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)

_set_signal = _signal.signal
_get_signal = _signal.getsignal
_register = faulthandler.register
_unregister: Any = faulthandler.unregister

_kept: Dict[int, Any] = {}
_dumped: Set[int] = set()
_told: Set[int] = set()
_given: Set[int] = set()
_thread: Optional[int] = None


def install() -> None:
    """Have ``signal.signal()`` and ``faulthandler.register()`` know of the server. In the thread that is Python's main one."""
    global _thread
    # Python's main thread is an OS thread, with all the cores on it; get_ident() would tell them apart.
    _thread = _ugreen.os_ident()
    _given.update(number for number in signal.valid_signals() if _get_signal(number) is None)
    # signal.signal() itself is Python code that calls these; whoever has imported it has the right one.
    _signal.signal = _keeping_signal
    _signal.getsignal = _keeping_getsignal
    faulthandler.register = _routing_register
    faulthandler.unregister = _routing_unregister  # type: ignore[assignment]


def forked() -> None:
    """This is a child: the signals are its own."""
    _signal.signal, _signal.getsignal = _set_signal, _get_signal
    faulthandler.register, faulthandler.unregister = _register, _unregister
    for number in KEPT:
        handler = _kept.get(number)
        if handler is None and number not in _dumped and _get_signal(number) is None:
            # As in a process of Python's own.
            handler = _signal.default_int_handler if number == signal.SIGINT else _signal.SIG_DFL
        if handler is not None:
            _set_signal(number, handler)


def _keeping_signal(signalnum: int, handler: Any, /) -> Any:
    """Set what happens at a POSIX signal; returns what happened before."""
    if signalnum not in KEPT:
        # None is what is said of a handler that is none of Python's; who puts back what he has found gives it here.
        before = _set_signal(signalnum, _signal.SIG_DFL if handler is None and signalnum in _given else handler)
        _ugreen.route_signal(signalnum)
        return before
    if _ugreen.os_ident() != _thread:
        raise ValueError("signal only works in main thread of the main interpreter")
    if handler is not None and handler not in (signal.SIG_IGN, signal.SIG_DFL) and not callable(handler):
        raise TypeError("signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object")
    before = _keeping_getsignal(signalnum)
    _kept[int(signalnum)] = handler
    if handler not in (None, signal.SIG_DFL) and signalnum not in _told:
        _told.add(int(signalnum))
        tell(f"signal.signal({signal.Signals(signalnum).name}, ...){_place()}: the server stops by this signal and keeps it; the handler is used in forked children only (told once)")
    return before


def _keeping_getsignal(signalnum: int, /) -> Any:
    """What happens at a POSIX signal."""
    handler = _kept.get(int(signalnum))
    return _get_signal(signalnum) if handler is None else handler


def _routing_register(signum: int, *args: Any, **kwargs: Any) -> None:
    """Have tracebacks dumped at a signal."""
    _register(signum, *args, **kwargs)
    _dumped.add(int(signum))
    _ugreen.route_signal(signum)


def _routing_unregister(signum: int) -> bool:
    """Have none dumped at it any more."""
    was_registered: bool = _unregister(signum)
    _dumped.discard(int(signum))
    _ugreen.route_signal(signum)
    return was_registered


def _place() -> str:
    """Where the application called signal.signal()."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename in (signal.__file__, __file__):
        frame = frame.f_back
    return f" at {frame.f_code.co_filename}:{frame.f_lineno}"


__all__ = ["KEPT", "forked", "install"]
