"""Which "thread" Python code believes it runs on.

All green threads share one OS thread. ``threading.local`` is right by itself, because the switch gives every core a
thread-state dict of its own. ``threading.current_thread()`` is looked up by the OS thread's id instead, so without help
all cores would be the one hub thread, and what libraries hang on that object (asgiref's ``Local``, hence Django's
database connections) would be shared between requests that run at the same time. So each core is a thread object of its
own there. It belongs to the core, not to the request: N cores have at most N of whatever is kept per thread.
"""

from __future__ import annotations

import threading
from typing import Optional

import _ugreen


class CoreThread(threading.Thread):
    """What ``threading.current_thread()`` gives on a green thread. It is never started or joined."""

    # Private ones of threading.Thread.
    _started: threading.Event

    def __init__(self, core: int) -> None:
        super().__init__(name=f"ugreen-core-{core}", daemon=True)
        self._started.set()
        self._set_ident()  # type: ignore[attr-defined]

    def is_alive(self) -> bool:
        return True

    def join(self, timeout: Optional[float] = None) -> None:
        raise RuntimeError("a green thread's core cannot be joined")


class _PerCore(threading.local):
    thread: Optional[CoreThread] = None


_mine = _PerCore()
_of_os_thread = threading.current_thread
_async_id = _ugreen.async_id


def current_thread() -> threading.Thread:
    """Return the current Thread object; on a green thread, the one of its core."""
    thread = _mine.thread
    if thread is None:
        core = _async_id()
        if core < 0:
            return _of_os_thread()
        thread = _mine.thread = CoreThread(core)
    return thread


def install() -> None:
    """Make ``threading.current_thread()`` know the cores. Code on other OS threads sees no difference."""
    # It says where it is looked for, to pickle above all: another process has no module of ours. threading.currentThread() warns and calls this one.
    current_thread.__module__ = "threading"
    threading.current_thread = current_thread


def forked() -> None:
    """This is a child: its one thread is the main thread, and there are no cores. Others may have kept the function above."""
    global _async_id
    threading.current_thread = _of_os_thread
    _async_id = _no_core
    _mine.thread = None


def _no_core() -> int:
    return -1
