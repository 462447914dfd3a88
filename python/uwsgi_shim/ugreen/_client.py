"""The client of this request: still there?"""

from types import TracebackType
from typing import Optional, Type

from _ugreen import unwatch_client, watch_client


class ClientGone(ConnectionError):
    """The client of this request went away, under ``while_connected()``."""

    def __init__(self) -> None:
        super().__init__("the client of this request went away")


class while_connected:
    """End a wait when nobody is there any more who would get the answer::

        with ugreen.while_connected():
            rows = slow_query()

    When the client goes away, ClientGone (a ConnectionError) is raised at the point where the green thread waits, whatever it waits for; at once when it has gone before. Code that
    computes is not interrupted until it waits. Blocks may be nested; the outermost one counts. Without it only ``uwsgi.suspend()`` and what is read from or written to the client end early.

    A client whose connection is cut without a word is noticed when something is written to it, not before. Only in requests: elsewhere SystemError.
    """

    def __init__(self) -> None:
        self._is_mine = False

    def __enter__(self) -> "while_connected":
        self._is_mine = watch_client(ClientGone())
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        if self._is_mine:
            self._is_mine = False
            unwatch_client()


__all__ = ["ClientGone", "while_connected"]
