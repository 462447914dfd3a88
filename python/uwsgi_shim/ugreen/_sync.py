"""Events, locks, semaphores, conditions and queues for green threads, with the interfaces of ``threading`` and ``queue``.

While one green thread waits the others run. All of these may also be used by other OS threads (which then block, with the GIL released), so they also carry results from a
thread of the pool to a green thread.

Who waits first is served first. Time-outs are in seconds, may have fractions, and ``None`` means none. What ``threading`` and ``queue`` refuse is refused here, with the same exceptions.
"""

from types import TracebackType
from typing import Any, Callable, Deque, Generic, List, Optional, Type, TypeVar

from _ugreen import green_id

from ugreen._arguments import lock_timeout, queue_timeout
from ugreen._wait import Waiter, deque, forget, grant_all, grant_one, uninterrupted

import _thread

T = TypeVar("T")


class Event:
    """A flag that can be waited for, as ``threading.Event``: ``wait`` in one request, ``set`` in another, or in another OS thread."""

    def __init__(self) -> None:
        self._flag = False
        self._waiters: Deque[Waiter] = deque()

    def is_set(self) -> bool:
        """Whether the flag is set."""
        return self._flag

    def set(self) -> None:
        """Set the flag and wake all that wait. Any OS thread may call."""
        self._flag = True
        grant_all(self._waiters)

    def clear(self) -> None:
        """Take the flag down."""
        self._flag = False

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Wait until the flag is set. Returns False when ``timeout`` (seconds) was over first."""
        return _wait_until(self.is_set, self._waiters, timeout)


def _wait_until(is_so: Callable[[], bool], waiters: Deque[Waiter], timeout: Optional[float]) -> bool:
    """Wait until somebody who has made it so grants all waiters. Returns False when the time was over first."""
    if is_so():
        return True
    waiter = Waiter()
    waiters.append(waiter)
    # It may have become so between the look and the append; then nobody will grant.
    if is_so() and waiter.claim():
        forget(waiters, waiter)
        return True
    try:
        return waiter.wait(timeout)
    finally:
        if not waiter.granted:
            forget(waiters, waiter)


class Semaphore:
    """A counter of permits: ``acquire`` takes one or waits for one, ``release`` gives one back. ``with semaphore:`` does both."""

    def __init__(self, value: int = 1) -> None:
        """``value``: permits to begin with. Raises ValueError when it is negative."""
        if value < 0:
            raise ValueError("semaphore initial value must be >= 0")
        self._permits: List[None] = [None] * value
        self._waiters: Deque[Waiter] = deque()

    def acquire(self, blocking: bool = True, timeout: Optional[float] = None) -> bool:
        """Take a permit; wait while there is none. Returns False when ``timeout`` (seconds) was over first, or with ``blocking=False`` when there was none. Raises ValueError for ``blocking=False`` with a
        ``timeout``.
        """
        if not blocking and timeout is not None:
            raise ValueError("can't specify timeout for non-blocking acquire")
        return self._try() or (blocking and self._wait(timeout))

    def _wait(self, timeout: Optional[float]) -> bool:
        waiter = Waiter()
        self._waiters.append(waiter)
        self._settle()
        try:
            granted = waiter.wait(timeout)
        except BaseException:
            if waiter.granted:
                self.release()
            else:
                forget(self._waiters, waiter)
            raise
        if not granted:
            forget(self._waiters, waiter)
        return granted

    def release(self, n: int = 1) -> None:
        """Give ``n`` permits back. Any OS thread may call. Raises ValueError when ``n`` is less than 1."""
        if n < 1:
            raise ValueError("n must be one or more")
        for _ in range(n):
            self._permits.append(None)
        if self._waiters:
            self._settle()

    def locked(self) -> bool:
        """Whether there is no permit now."""
        return not self._permits

    def _try(self) -> bool:
        # Not past those that wait already: they were first.
        if self._waiters:
            return False
        try:
            self._permits.pop()
        except IndexError:
            return False
        return True

    def _settle(self) -> None:
        """Bring permits and waiters together. Whoever adds either calls this afterwards, so that of two that come at the same time at least one sees both."""
        while self._waiters and self._permits:
            try:
                self._permits.pop()
            except IndexError:
                return
            if not grant_one(self._waiters):
                self._permits.append(None)

    def __enter__(self) -> bool:
        return self._try() or self.acquire()

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.release()


class BoundedSemaphore(Semaphore):
    """A semaphore that refuses to hold more permits than it began with."""

    def __init__(self, value: int = 1) -> None:
        """``value``: permits to begin with, and the most that there can be. Raises ValueError when it is negative."""
        super().__init__(value)
        self._bound = value

    def release(self, n: int = 1) -> None:
        """Give permits back. Raises ValueError when that would be more than were taken, or when ``n`` is less than 1."""
        if len(self._permits) + n > self._bound:
            raise ValueError("semaphore released too many times")
        super().release(n)


class Lock(Semaphore):
    """A lock that one holds at a time. It belongs to nobody: any green thread or OS thread may release it, as ``threading.Lock``. ``with lock:`` takes and releases it."""

    def __init__(self) -> None:
        super().__init__(1)

    def acquire(self, blocking: bool = True, timeout: Optional[float] = -1) -> bool:
        """Take the lock; wait while another holds it. ``timeout`` is in seconds, -1 or None means none. Returns whether it was taken.

        Raises ValueError for ``blocking=False`` with a ``timeout``, and for a negative one; OverflowError for more than ``threading.TIMEOUT_MAX``.
        """
        limit = lock_timeout(blocking, timeout)
        return self._try() or (bool(blocking) and self._wait(limit))

    def release(self, n: int = 1) -> None:
        """Let go of it; who waits first gets it. ``n`` has no meaning here. Raises RuntimeError when nobody holds it."""
        if self._permits:
            raise RuntimeError("release unlocked lock")
        self._permits.append(None)
        if self._waiters:
            self._settle()


def _me() -> int:
    """Green thread or OS thread, as one number: green threads have odd ones."""
    green = green_id()
    return _thread.get_ident() * 2 if green < 0 else green * 2 + 1


class RLock:
    """A lock that its holder may take again, and must release as often. The holder is a green thread (``threading.RLock`` takes all of a worker's for one) or an OS thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._owner = 0
        self._count = 0

    def acquire(self, blocking: bool = True, timeout: Optional[float] = -1) -> bool:
        """Take the lock, or take it once more. ``timeout`` is in seconds, -1 or None means none. Returns whether it was taken. Raises as ``Lock.acquire``."""
        me = _me()
        if self._owner == me:
            lock_timeout(blocking, timeout)
            self._count += 1
            return True
        if not self._lock.acquire(blocking, timeout):
            return False
        self._owner, self._count = me, 1
        return True

    def release(self) -> None:
        """Let go of it once. Raises RuntimeError when another holds it, or nobody."""
        if self._owner != _me():
            raise RuntimeError("cannot release un-acquired lock")
        self._count -= 1
        if self._count == 0:
            self._owner = 0
            self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.release()

    # What Condition needs of its lock.

    def _is_owned(self) -> bool:
        return self._owner == _me()

    def _release_save(self) -> int:
        count, self._count, self._owner = self._count, 0, 0
        self._lock.release()
        return count

    def _acquire_restore(self, count: int) -> None:
        uninterrupted(self._lock.acquire)
        self._owner, self._count = _me(), count


class Condition:
    """A lock with the means to wait for a change of what it protects, as ``threading.Condition``::

        with condition:
            condition.wait_for(lambda: items)       # lets go of the lock while it waits
            item = items.pop()
    """

    def __init__(self, lock: Any = None) -> None:
        """``lock``: a Lock or RLock of this module; by default an RLock of its own."""
        self._lock = RLock() if lock is None else lock
        self._waiters: Deque[Waiter] = deque()
        self.acquire = self._lock.acquire
        self.release = self._lock.release

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Let go of the lock, wait for a ``notify``, take the lock again. Returns False when ``timeout`` (seconds) was over first. The lock is held in any case, also when this
        raises. Raises RuntimeError when the lock is not held.
        """
        self._check()
        waiter = Waiter()
        self._waiters.append(waiter)
        saved = self._save()
        try:
            return waiter.wait(timeout)
        except BaseException:
            # Notified and interrupted at once: another must hear the notification.
            if waiter.granted:
                grant_one(self._waiters)
            raise
        finally:
            if not waiter.granted:
                forget(self._waiters, waiter)
            self._restore(saved)

    def wait_for(self, predicate: Callable[[], T], timeout: Optional[float] = None) -> T:
        """Wait until ``predicate()`` is true, and return its value; after ``timeout`` seconds its last value, whatever it is. Raises RuntimeError when the lock is not held."""
        from time import monotonic

        end = None if timeout is None else monotonic() + timeout
        result = predicate()
        while not result:
            left = None if end is None else end - monotonic()
            if left is not None and left <= 0:
                break
            self.wait(left)
            result = predicate()
        return result

    def notify(self, n: int = 1) -> None:
        """Wake ``n`` of those that wait, the first first. Raises RuntimeError when the lock is not held."""
        self._check()
        for _ in range(n):
            if not grant_one(self._waiters):
                return

    def notify_all(self) -> None:
        """Wake all that wait. Raises RuntimeError when the lock is not held."""
        self._check()
        grant_all(self._waiters)

    def _check(self) -> None:
        owned = getattr(self._lock, "_is_owned", self._lock.locked if hasattr(self._lock, "locked") else None)
        if owned is not None and not owned():
            raise RuntimeError("cannot wait on or notify an un-acquired lock")

    def _save(self) -> Any:
        save = getattr(self._lock, "_release_save", None)
        if save is not None:
            return save()
        self._lock.release()
        return None

    def _restore(self, saved: Any) -> None:
        restore = getattr(self._lock, "_acquire_restore", None)
        if restore is not None:
            restore(saved)
        else:
            uninterrupted(self._lock.acquire)

    def __enter__(self) -> bool:
        return bool(self._lock.__enter__())

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self._lock.__exit__(kind, error, trace)


class Empty(Exception):
    """``Queue.get`` found nothing in time."""


class Full(Exception):
    """``Queue.put`` found no room in time."""


class Queue(Generic[T]):
    """First in, first out, as ``queue.Queue``. Any OS thread may use either end."""

    def __init__(self, maxsize: int = 0) -> None:
        """``maxsize``: how many items it holds before ``put`` waits; 0 or less: any number."""
        #: How many items it holds before ``put`` waits; 0 or less: any number.
        self.maxsize = maxsize
        self._items: Deque[T] = deque()
        self._there = Semaphore(0)
        self._room = Semaphore(maxsize) if maxsize > 0 else None
        # One for each item that was put and not yet dealt with: a list and not a number, because appending and popping are one step.
        self._unfinished: List[None] = []
        self._joiners: Deque[Waiter] = deque()

    def put(self, item: T, block: bool = True, timeout: Optional[float] = None) -> None:
        """Add an item; wait for room. Raises Full when there was none within ``timeout`` seconds, or with ``block=False`` none now; ValueError for a negative ``timeout``."""
        if self._room is not None and not self._room.acquire(block, queue_timeout(block, timeout)):
            raise Full
        self._unfinished.append(None)
        self._items.append(item)
        self._there.release()

    def get(self, block: bool = True, timeout: Optional[float] = None) -> T:
        """Take the first item; wait for one. Raises Empty when there was none within ``timeout`` seconds, or with ``block=False`` none now; ValueError for a negative ``timeout``."""
        if not self._there.acquire(block, queue_timeout(block, timeout)):
            raise Empty
        item = self._items.popleft()
        if self._room is not None:
            self._room.release()
        return item

    def put_nowait(self, item: T) -> None:
        """``put`` without waiting. Raises Full when there is no room."""
        self.put(item, block=False)

    def get_nowait(self) -> T:
        """``get`` without waiting. Raises Empty when there is nothing."""
        return self.get(block=False)

    def qsize(self) -> int:
        """How many items there are now."""
        return len(self._items)

    def empty(self) -> bool:
        """Whether there is none now."""
        return not self._items

    def full(self) -> bool:
        """Whether there is no room now."""
        return self._room is not None and self._room.locked()

    def task_done(self) -> None:
        """Say that an item which was taken has been dealt with, for ``join``. Raises ValueError when called more often than there were items."""
        try:
            self._unfinished.pop()
        except IndexError:
            raise ValueError("task_done() called too many times") from None
        if not self._unfinished:
            grant_all(self._joiners)

    def join(self, timeout: Optional[float] = None) -> bool:
        """Wait until all items have been dealt with. Returns False when ``timeout`` (seconds) was over first."""
        return _wait_until(lambda: not self._unfinished, self._joiners, timeout)


__all__ = ["BoundedSemaphore", "Condition", "Empty", "Event", "Full", "Lock", "Queue", "RLock", "Semaphore"]
