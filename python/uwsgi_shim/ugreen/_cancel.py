"""OS threads that send cancel requests to database servers: libpq opens a connection for each and waits for its end."""

import threading
from collections import deque
from typing import Callable, Deque, List

#: How many may be under way at the same time; more wait. A server that does not answer holds one for as long as the kernel tries to connect.
SENDERS = 8

_pending: "Deque[Callable[[], None]]" = deque()

# One for each OS thread that may still be started; taking and giving back are one step each.
_free: List[None] = [None] * SENDERS


def send(request: Callable[[], None]) -> None:
    """Have it called soon on another OS thread, without waiting. It must not raise. Raises RuntimeError when no thread can be started."""
    _pending.append(request)
    try:
        _free.pop()
    except IndexError:
        return
    try:
        threading.Thread(target=_run, name="ugreen-cancel", daemon=True).start()
    except BaseException:
        _free.append(None)
        raise


def _run() -> None:
    while True:
        while _pending:
            try:
                request = _pending.popleft()
            except IndexError:
                break
            request()
        _free.append(None)
        # One may have come after the last look, when no thread seemed to be free.
        if not _pending:
            return
        try:
            _free.pop()
        except IndexError:
            return


__all__ = ["SENDERS", "send"]
