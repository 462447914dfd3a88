"""How one piece of Python code waits for another: the part that all of ``ugreen``'s tools share.

A waiter is made by whoever is about to wait, put where the other side finds it, and then waited on. It works on green threads (parked by the hub) and on other OS threads
(blocked, with the GIL released) alike, so that an ``Event`` set by a thread of the pool wakes a green thread and the other way round.

No locks are used here, because a finalizer or a signal handler may run at any instruction and come in again. What makes it right is that ``list.pop``, ``deque.append`` and
``deque.popleft`` are each one step under the GIL, and that a waiter is *claimed* exactly once: by the side that grants what it waits for, or by itself when it gives up.
"""

import _thread
from collections import deque
from time import monotonic
from typing import Any, Callable, Deque, List, Optional

from _ugreen import green_id, park, unpark


class Waiter:
    """One wait. Not for a second one."""

    __slots__ = ("_claim", "_green", "_lock", "granted")

    def __init__(self) -> None:
        self._claim: List[None] = [None]
        #: True once the other side has granted what is waited for.
        self.granted = False
        self._green = green_id()
        self._lock: Any = None
        if self._green < 0:
            self._lock = _thread.allocate_lock()
            self._lock.acquire()

    def claim(self) -> bool:
        """True for exactly one caller."""
        try:
            self._claim.pop()
        except IndexError:
            return False
        return True

    def grant(self) -> bool:
        """End the wait. False when it was given up before: then somebody else must have it."""
        if not self.claim():
            return False
        self.granted = True
        if self._lock is not None:
            self._lock.release()
        else:
            unpark(self._green)
        return True

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Wait until granted; ``timeout`` is in seconds. Returns whether it was granted. Raises ValueError for a time that is not a number, TypeError for what is no time.

        When this raises (an interrupt), the wait has been given up, unless ``granted`` says that it was granted at the same moment: the caller must then give back what it got.
        """
        try:
            if timeout is not None and timeout != timeout:
                raise ValueError("the timeout is not a number of seconds")
            if self._lock is not None:
                self._lock.acquire(True, -1 if timeout is None else min(max(timeout, 0), _thread.TIMEOUT_MAX))
            else:
                self._park(timeout)
        except BaseException:
            self.granted = not self.claim()
            raise
        return not self.claim() or self.granted

    def _park(self, timeout: Optional[float]) -> None:
        if timeout is None:
            # A permit that was meant for an earlier wait of this green thread may end a park early.
            while not self.granted:
                park()
            return
        end = monotonic() + timeout
        while not self.granted and (left := end - monotonic()) > 0:
            park(left)


def forget(waiters: "Deque[Waiter]", waiter: Waiter) -> None:
    """Take a waiter out of a queue, if it is still there."""
    try:
        waiters.remove(waiter)
    except ValueError:
        pass


def grant_one(waiters: "Deque[Waiter]") -> bool:
    """Grant the first waiter that has not given up; False when there is none."""
    while True:
        try:
            waiter = waiters.popleft()
        except IndexError:
            return False
        if waiter.grant():
            return True


def grant_all(waiters: "Deque[Waiter]") -> None:
    """Grant all that wait now, not those that come meanwhile."""
    for _ in range(len(waiters)):
        if not grant_one(waiters):
            return


def uninterrupted(acquire: Callable[[], Any]) -> None:
    """Take a lock that must be held when this returns, whatever is raised meanwhile; that is raised afterwards."""
    late: Optional[BaseException] = None
    while True:
        try:
            acquire()
            break
        except BaseException as error:
            late = error
    if late is not None:
        raise late


__all__ = ["Waiter", "deque", "forget", "grant_all", "grant_one", "uninterrupted"]
