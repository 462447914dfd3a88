"""Calls that block, on other OS threads, while the green thread waits.

The threads are those of Python's own ThreadPoolExecutor. A green thread takes a permit before it hands its call over, so what waits for a thread are green threads, in the order
of their arrival and never more than there are, and the executor's queue holds nothing. The result comes back by a waiter, which also tells the thread whether anybody still waits.
"""

import threading
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Callable, Generic, List, Optional, ParamSpec, TypeVar

import _ugreen
from ugreen import _fork
from ugreen._sync import Lock, Semaphore
from ugreen._wait import Waiter

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

P = ParamSpec("P")
T = TypeVar("T")

_permits = Semaphore(_ugreen.threads)

# The executor takes locks of the OS. A finalizer may run while it holds them, and may wait; another green thread must not ask for them then.
_submitting = Lock()

_executor: "Optional[ThreadPoolExecutor]" = None


def run_in_thread(fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call ``fn(*args, **kwargs)`` on another OS thread, wait until it has returned, and return its result. The other green threads run meanwhile.

    For C code that computes without the GIL, and for the few calls that block without waiting green (system calls that a library makes itself, slow disks)::

        packed = ugreen.run_in_thread(zlib.compress, data)

    What ``fn`` raises is raised here, with its traceback; that includes SystemExit and KeyboardInterrupt. It runs in a copy of the caller's ``contextvars`` context. Functions of
    ``uwsgi`` that are about the request raise SystemError there, and ``threading.local`` is the thread's.

    There are at most as many threads as ``--ugreen-threads`` says; they are started when needed, and stay. While all are busy the call waits for one; who waits first is served first. When the wait is ended by
    an exception (``ugreen.timeout``, say), a call that has not begun never does. One that has begun goes on, keeps its thread until it returns, and its result is dropped; what it raises then
    goes to ``threading.excepthook``, which prints it. No thread holds up the end of the server: calls that still run are cut off.

    Only one thread at a time runs Python code. A call that computes in Python takes turns with the green threads, about 5 ms each (``sys.getswitchinterval()``): move
    waiting to threads, not computing.

    Outside green threads (in another OS thread, hence within ``fn``, and while the application is imported) this simply calls ``fn``. Raises RuntimeError when no thread can be started.
    """
    if _ugreen.green_id() < 0:
        return fn(*args, **kwargs)
    context = copy_context()
    _permits.acquire()
    call = _Call(lambda: context.run(fn, *args, **kwargs))
    try:
        with _submitting:
            _threads().submit(call)
        call.waiter.wait()
    except BaseException:
        call.abandon()
        raise
    return call.outcome()


class _Call(Generic[T]):
    """One call on its way to a thread and back. Its permit goes back once: when it has run, or when it is abandoned before it began."""

    def __init__(self, fn: Callable[[], T]) -> None:
        self.waiter = Waiter()
        self._fn: Optional[Callable[[], T]] = fn
        self._result: Any = None
        self._error: Optional[BaseException] = None
        # Whoever pops this decides whether the call begins: the thread, or the green thread that gives up.
        self._begin: List[None] = [None]

    def __call__(self) -> None:
        """On the thread."""
        fn = self._claim()
        if fn is None:
            return
        try:
            self._result = fn()
            if _fork.forked:
                _fork.end(None, returned=True)
        except BaseException as error:
            if _fork.forked:
                _fork.end(error)
            self._error = error
        _permits.release()
        if not self.waiter.grant():
            self._tell()

    def abandon(self) -> None:
        """On the green thread: nobody wants the result."""
        if self._claim() is not None:
            _permits.release()
        elif self.waiter.granted:
            # It was done at the moment of the interrupt, and took us for somebody who listens.
            self._tell()

    def outcome(self) -> T:
        """The result, or what was raised."""
        error, self._error = self._error, None
        if error is None:
            result: T = self._result
            return result
        try:
            raise error
        finally:
            # The traceback holds this frame: no circle that only the collector would find.
            del error

    def _claim(self) -> Optional[Callable[[], T]]:
        try:
            self._begin.pop()
        except IndexError:
            return None
        fn, self._fn = self._fn, None
        return fn

    def _tell(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, threading.current_thread())))


def _threads() -> "ThreadPoolExecutor":
    global _executor
    if _executor is None:
        # Here, because it brings logging along, and that is 12 ms of the start for whoever needs no threads.
        from concurrent.futures import ThreadPoolExecutor

        _executor = ThreadPoolExecutor(_ugreen.threads, thread_name_prefix="ugreen-thread")
    return _executor


__all__ = ["run_in_thread"]
