"""Green threads, but not too many at once."""

from types import TracebackType
from typing import Any, Callable, Iterable, Iterator, List, Optional, Set, Tuple, Type, TypeVar

from ugreen._green import GreenThread, prepare, start
from ugreen._sync import Event, Queue, Semaphore

S = TypeVar("S")
T = TypeVar("T")


class Pool:
    """At most ``size`` green threads at a time; whoever wants one more waits::

        with ugreen.Pool(10) as pool:
            pages = pool.map(fetch, urls)

    As a context manager it waits at the end for all that still run, or kills them when the block ends with an exception.
    """

    def __init__(self, size: int) -> None:
        """``size``: how many may run at once, at least 1 (else ValueError)."""
        if size < 1:
            raise ValueError("Pool(): size must be at least 1")
        self.size = size
        self._slots = Semaphore(size)
        self._running: Set["GreenThread[Any]"] = set()
        self._idle = Event()
        self._idle.set()

    def __len__(self) -> int:
        """How many run now."""
        return len(self._running)

    def spawn(self, function: Callable[..., T], /, *arguments: Any, **keywords: Any) -> "GreenThread[T]":
        """Like ``ugreen.spawn()``, but waits for a free place instead of going beyond ``size``."""
        return self._spawn(prepare(function, arguments, keywords), None)

    def map(self, function: Callable[[S], T], iterable: Iterable[S]) -> List[T]:
        """``[function(item) for item in iterable]``, ``size`` of them at a time; the results are in the order of the items.

        The first exception ends it: what still runs of this map is killed, nothing more is begun, and the exception is raised. ``iterable`` is read as places become free.
        """
        found = dict(self._collect(function, iterable))
        return [found[index] for index in range(len(found))]

    def imap_unordered(self, function: Callable[[S], T], iterable: Iterable[S]) -> Iterator[T]:
        """The results of ``function`` for each item as they come, ``size`` at a time. The first exception ends it as with ``map()``; so does leaving the loop early."""
        for _, result in self._collect(function, iterable):
            yield result

    def join(self, timeout: Optional[float] = None) -> bool:
        """Wait until none runs; ``timeout`` is in seconds. Returns whether none does."""
        return self._idle.wait(timeout)

    def kill(self) -> None:
        """Kill all that run, and wait for their end."""
        for thread in list(self._running):
            thread.kill()
        self.join()

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        if kind is not None:
            self.kill()
        else:
            self.join()

    def _spawn(self, thread: "GreenThread[T]", ended: "Optional[Callable[[GreenThread[T]], None]]") -> "GreenThread[T]":
        def at_end(thread: "GreenThread[T]") -> None:
            self._left(thread)
            if ended is not None:
                ended(thread)

        thread._at_end = at_end
        thread._heard = ended is not None
        self._slots.acquire()
        self._running.add(thread)
        self._idle.clear()
        try:
            start(thread)
        except BaseException:
            self._left(thread)
            raise
        return thread

    def _left(self, thread: "GreenThread[Any]") -> None:
        self._running.discard(thread)
        self._slots.release()
        if not self._running:
            self._idle.set()

    def _collect(self, function: Callable[[S], T], iterable: Iterable[S]) -> Iterator[Tuple[int, T]]:
        ended: "Queue[GreenThread[T]]" = Queue()
        numbers: "dict[GreenThread[T], int]" = {}
        items = enumerate(iterable)
        more = True
        try:
            while more or numbers:
                while more and len(numbers) < self.size:
                    number, item = next(items, (-1, None))
                    more = number >= 0
                    if more:
                        thread = prepare(function, (item,), {})
                        numbers[thread] = number
                        try:
                            self._spawn(thread, ended.put)
                        except BaseException:
                            del numbers[thread]
                            raise
                if numbers:
                    thread = ended.get()
                    yield numbers.pop(thread), thread.result()
        finally:
            left = list(numbers)
            for thread in left:
                thread.kill()
            for thread in left:
                thread.join()


__all__ = ["Pool"]
