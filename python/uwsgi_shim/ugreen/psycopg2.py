"""psycopg2 on green threads by its wait callback. psycopg2 waits green without it, too (docs/adr/0040); with it a query that is given up is cancelled at the server.

::

    from ugreen.psycopg2 import patch_psycopg       # psycogreen has a module for each framework, with a function of this name

    patch_psycopg()                                 # before the first connection is made; or start the server with --psycopg2

Applications that install a wait callback of their own (``psycopg2.extensions.set_wait_callback``) run, too; then nothing here is used.
"""

import functools
from typing import Any, Optional, Sequence, Tuple

import psycopg2  # type: ignore[import]
from psycopg2 import extensions, pool
from psycopg2.extensions import STATUS_BEGIN, STATUS_PREPARED, STATUS_READY  # type: ignore[import]

from _ugreen import os_ident as get_ident

from ugreen._libpq import CancelRequest
from ugreen._psycopg2_copy import command_bytes, copy_command, copy_expert
from ugreen._psycopg2_wait import wait_callback
from ugreen._sqlalchemy import patch_sqlalchemy
from ugreen._sync import Lock


def patch_psycopg() -> None:
    """Let psycopg2 wait by a callback, in the whole process: on green threads the others run meanwhile, on other OS threads and at import time a wait is a plain ``poll``.

    Not needed for the others to run: blocking calls wait green. A query that is given up (a time limit, harakiri, a client that left) is cancelled at the server, and
    the exception is raised where the query is waited for.

    * the wait callback becomes ``wait_callback``;
    * ``psycopg2.connect()`` makes a ``Connection`` unless it is given a factory;
    * ``psycopg2.pool.ThreadedConnectionPool`` and SQLAlchemy's pools, also when they are imported later, get locks that a green thread may hold while it waits.

    Connections that are there already keep their class. Calling it again changes nothing.
    """
    extensions.set_wait_callback(wait_callback)
    if getattr(psycopg2, "_connect", None) is not None and not isinstance(psycopg2._connect, _Connect):
        psycopg2._connect = _Connect(psycopg2._connect)
    if not hasattr(pool.ThreadedConnectionPool, "_ugreen"):
        _patch_pool(pool.ThreadedConnectionPool)
    patch_sqlalchemy()


class Cursor(extensions.cursor):  # type: ignore[misc]
    """A cursor with COPY, which psycopg2 itself refuses when there is a wait callback. The methods return the number of rows, too."""

    # The command and the number of rows of a COPY, while it was the last thing that this cursor did; psycopg2's own fields cannot be written.
    _copied: Optional[Tuple[bytes, int]] = None

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> Optional[int]:
        """See ``ugreen.psycopg2.copy_expert``."""
        self._copied = None
        if extensions.get_wait_callback() is None:
            return super().copy_expert(sql, file, size)  # type: ignore[no-any-return]
        if not hasattr(file, "read") and not hasattr(file, "write"):
            raise TypeError("file must be a readable file-like object for COPY FROM; a writable file-like object for COPY TO.")
        command = command_bytes(self, sql)
        self._copied = command, -1
        rows = copy_expert(self, command, file, size)
        self._copied = command, rows
        return rows

    def copy_from(self, file: Any, table: str, sep: str = "\t", null: str = "\\N", size: int = 8192, columns: Optional[Sequence[str]] = None) -> Optional[int]:
        """As psycopg2's: the rows of a file into a table."""
        if not hasattr(file, "read"):
            raise TypeError("argument 1 must have a .read() method")
        return self.copy_expert(copy_command(self, table, columns, "FROM STDIN", sep, null), file, size)

    def copy_to(self, file: Any, table: str, sep: str = "\t", null: str = "\\N", columns: Optional[Sequence[str]] = None) -> Optional[int]:
        """As psycopg2's: the rows of a table into a file."""
        if not hasattr(file, "write"):
            raise TypeError("argument 1 must have a .write() method")
        return self.copy_expert(copy_command(self, table, columns, "TO STDOUT", sep, null), file)

    def execute(self, query: Any, vars: Any = None) -> None:
        """As psycopg2's."""
        self._copied = None
        super().execute(query, vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        """As psycopg2's."""
        self._copied = None
        super().executemany(query, vars_list)

    def callproc(self, procname: Any, parameters: Any = None) -> Any:
        """As psycopg2's."""
        self._copied = None
        return super().callproc(procname, parameters)

    @property
    def rowcount(self) -> int:
        """As psycopg2's, also after a COPY."""
        return super().rowcount if self._copied is None else self._copied[1]  # type: ignore[no-any-return]

    @property
    def query(self) -> Optional[bytes]:
        """As psycopg2's, also after a COPY."""
        return super().query if self._copied is None else self._copied[0]


class Connection(extensions.connection):  # type: ignore[misc]
    """What ``psycopg2.connect()`` returns after ``patch_psycopg()``. For a class of your own, derive from this one.

    It belongs to one green thread at a time: what another one calls meanwhile raises ProgrammingError.
    """

    #: The OS thread, as ``threading.get_ident()``, that waits for a query and holds psycopg2's lock meanwhile; set by the wait callback.
    locked_by: Optional[int] = None

    def cursor(self, name: Any = None, cursor_factory: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As psycopg2's; without a factory, here or of the connection's, it makes a ``Cursor``."""
        return super().cursor(name, cursor_factory or self.cursor_factory or Cursor, *args, **kwargs)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        # psycopg2 would roll back, and raise InterfaceError in the place of what ended the block and closed the connection.
        if kind is None or not self.closed:
            super().__exit__(kind, error, trace)

    def cancel(self) -> None:
        """Ask the server to cancel what this connection does; another green thread waits for that. Raises OperationalError when it could not be asked, or when the connection is still being made;
        InterfaceError when it is closed; ProgrammingError when it has a prepared two-phase transaction.
        """
        # As psycopg2's own, in its words.
        if self.closed:
            raise psycopg2.InterfaceError("connection already closed")
        if self.status == STATUS_PREPARED:
            raise psycopg2.ProgrammingError("cancel cannot be used with a prepared two-phase transaction")
        if self.status not in (STATUS_READY, STATUS_BEGIN):
            raise psycopg2.OperationalError("asynchronous connection attempt underway")
        request = CancelRequest(self).send()
        request.done.wait()
        if request.error:
            raise psycopg2.OperationalError(request.error)


def _guard() -> None:
    """Let the methods that take psycopg2's lock refuse where they would block for good: all green threads are one OS thread, and another of them holds it."""

    def guarded(name: str, function: Any) -> Any:
        @functools.wraps(function)
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            if self.locked_by == get_ident():
                # In the words of psycopg2's own refusal of execute().
                raise psycopg2.ProgrammingError(f"{name} cannot be used while an asynchronous query is underway")
            return function(self, *args, **kwargs)

        return method

    base = extensions.connection
    for name in ("close", "commit", "reset", "rollback", "set_client_encoding", "set_isolation_level", "set_session",
                 "tpc_begin", "tpc_commit", "tpc_prepare", "tpc_recover", "tpc_rollback"):
        setattr(Connection, name, guarded(name, getattr(base, name)))
    for name in ("autocommit", "deferrable", "isolation_level", "readonly"):
        field = getattr(base, name)
        setattr(Connection, name, property(field.__get__, guarded(name, field.__set__), doc=field.__doc__))


_guard()


class _Connect:
    """``psycopg2._connect`` with another preset for its factory."""

    def __init__(self, original: Any) -> None:
        self._original = original

    def __call__(self, dsn: Any, connection_factory: Any = None, **kwargs: Any) -> Any:
        # An asynchronous connection is polled by its owner and needs nothing of this.
        if connection_factory is None and not (kwargs.get("async") or kwargs.get("async_")):
            connection_factory = Connection
        return self._original(dsn, connection_factory=connection_factory, **kwargs)


def _patch_pool(kind: Any) -> None:
    original = kind.__init__

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        # It is held while a connection is made or rolled back. threading's would stop the worker, where blocking calls do not wait green, as soon as a second green thread wants it.
        self._lock = Lock()

    kind.__init__ = __init__
    kind._ugreen = True


__all__ = ["Connection", "Cursor", "copy_expert", "patch_psycopg", "patch_sqlalchemy", "wait_callback"]
