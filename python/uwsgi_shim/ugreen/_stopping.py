"""Telling the application that its worker is about to end."""

from typing import Optional

from ugreen._sync import Event


class Stopping:
    """Whether this worker is about to end. It is, from when the server is asked to stop, or this worker is to be replaced, until all requests have ended.

    For what would run for ever otherwise, such as a stream of events: a worker that ends waits for its requests, up to ``--shutdown-timeout``.
    """

    __slots__ = ("_event",)

    def __init__(self) -> None:
        """For this package only: there is one, ``ugreen.stopping``."""
        self._event = Event()

    def is_set(self) -> bool:
        """Whether it is. Any thread."""
        return self._event.is_set()

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Wait until it is. Returns False when ``timeout`` (seconds) was over first. In another OS thread only that waits."""
        return self._event.wait(timeout)

    def __repr__(self) -> str:
        return f"<ugreen.stopping, {'set' if self.is_set() else 'not set'}>"


#: Whether this worker is about to end; see Stopping.
stopping = Stopping()


def begin() -> None:
    """The worker begins to drain. Called by the server, on the hub's OS thread."""
    stopping._event.set()
