"""Green threads for Python code that waits: sleep, time limits, events, locks, queues. Only importable inside the server.

::

    import ugreen

    news = ugreen.Event()

    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        if news.wait(30):                       # this request waits, the others run
            yield b"there is news"

``uwsgi`` has the names that applications written for uWSGI know; this package has those of Python's own ``threading`` and ``queue``. The two may be mixed.
"""

try:
    import _ugreen
except ImportError:
    raise ImportError("the ugreen package works only inside the server; run your application with: ./ugreen-py -w your_module") from None

from ugreen._client import ClientGone, while_connected
from ugreen._green import GreenExit, GreenThread, Killed, SpawnLimit, current, dump, spawn
from ugreen._harakiri import Harakiri
from ugreen._io import wait_read, wait_write
from ugreen._pool import Pool
from ugreen._local import local
from ugreen._stopping import stopping
from ugreen._sync import BoundedSemaphore, Condition, Empty, Event, Full, Lock, Queue, RLock, Semaphore
from ugreen._threads import run_in_thread
from ugreen._time import Timeout, sleep, timeout
from ugreen._timers import Timer, after, every


def patch_psycopg() -> None:
    """Let psycopg2 wait by a callback, which cancels a query that is given up; see ``ugreen.psycopg2.patch_psycopg``. It waits green without, too. Raises ImportError when there is no psycopg2."""
    from ugreen.psycopg2 import patch_psycopg as patch

    patch()


def patch_sqlalchemy() -> None:
    """Give SQLAlchemy's connection pools locks of this package, for which who waits first is served first. The pools wait green without, too. ``patch_psycopg()`` includes it."""
    from ugreen._sqlalchemy import patch_sqlalchemy as patch

    patch()


__version__ = _ugreen.server_version

__all__ = [
    "BoundedSemaphore", "ClientGone", "Condition", "Empty", "Event", "Full", "GreenExit", "GreenThread", "Harakiri", "Killed", "Lock", "Pool", "Queue", "RLock", "Semaphore", "SpawnLimit",
    "Timeout", "Timer", "after", "current", "dump", "every", "local", "patch_psycopg", "patch_sqlalchemy", "run_in_thread", "sleep", "spawn", "stopping", "timeout", "wait_read",
    "wait_write", "while_connected",
]
