"""psycopg2's wait callback: while one green thread waits for the server, the others run."""

import os
import socket
import sys
from time import monotonic
from typing import Any, Optional

import psycopg2  # type: ignore[import]
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE, STATUS_SETUP  # type: ignore[import]

from _ugreen import os_ident as get_ident, wait_one

from ugreen._libpq import CancelRequest

# PQstatus: the socket is being connected, nothing has been sent.
_CONNECTION_STARTED = 2

# libpq takes less as this much, because it counts in whole seconds.
_SHORTEST_CONNECT_TIMEOUT = 2


def wait_callback(conn: Any) -> None:
    """Wait until the connection has done what it was asked for. For ``psycopg2.extensions.set_wait_callback``; ``patch_psycopg`` installs it.

    An exception that is raised in the wait (a time limit, an interrupt) goes on to the application. psycopg2 closes the connection then; the server is asked to cancel the query.
    """
    if conn.status == STATUS_SETUP:
        _Connecting(conn).wait()
        return
    try:
        conn.locked_by = get_ident()
    except AttributeError:
        # An object of psycopg2's own class, which takes no attributes.
        _wait_for_result(conn)
        return
    try:
        _wait_for_result(conn)
    finally:
        conn.locked_by = None


def _wait_for_result(conn: Any) -> None:
    while True:
        state = conn.poll()
        if state == POLL_OK:
            return
        try:
            _wait(conn, state)
        except BaseException:
            _abandon(conn)
            raise


def _wait(conn: Any, state: int, timeout: Optional[float] = None) -> bool:
    if state == POLL_READ:
        return wait_one(conn.fileno(), False, timeout)
    if state == POLL_WRITE:
        return wait_one(conn.fileno(), True, timeout)
    raise psycopg2.OperationalError(f"unexpected state of the connection: {state!r}")


def _abandon(conn: Any) -> None:
    """The query is given up, and its connection: nobody shall wait for it, here or at the server."""
    try:
        CancelRequest(conn).send()
    except (psycopg2.Error, RuntimeError):
        # What is on its way to the application counts more. Without the request the server ends the query when it is done.
        pass
    _tell_django(conn)


def _tell_django(conn: Any) -> None:
    """Django looks whether a connection still works only after an error of the database's; without this the core's next request would find it closed."""
    database = sys.modules.get("django.db")
    if database is None:
        return
    try:
        for wrapper in database.connections.all():
            if getattr(wrapper, "connection", None) is conn:
                wrapper.errors_occurred = True
    except Exception:
        # A Django that is not set up, or another one than those known here. It must not stand in the way of what ended the wait.
        pass


class _Connecting:
    """The way to an open connection, with ``connect_timeout``, which libpq leaves to the caller when the caller waits."""

    def __init__(self, conn: Any) -> None:
        self._conn = conn
        self._seconds = 0
        self._end = 0.0
        # As libpq counts: each address that a host name stands for has the whole time. Each has a socket of its own.
        self._socket = 0
        self._too_late = False

    def wait(self) -> None:
        """Wait for it. Raises what psycopg2 raises, and OperationalError when the time was over."""
        conn = self._conn
        self._seconds = _connect_timeout(conn)
        while True:
            try:
                state = conn.poll()
            except psycopg2.OperationalError:
                # The last address: libpq only knows that its socket was shut down.
                if self._too_late and self._same_socket():
                    raise self._error() from None
                raise
            if state == POLL_OK:
                return
            if not self._seconds:
                _wait(conn, state)
                continue
            if not self._same_socket():
                self._end = monotonic() + self._seconds
                self._too_late = False
            if not _wait(conn, state, max(self._end - monotonic(), 0)):
                self._give_up_address()

    def _same_socket(self) -> bool:
        before = self._socket
        try:
            self._socket = os.fstat(self._conn.fileno()).st_ino
        except (OSError, psycopg2.Error):
            return True
        return self._socket == before

    def _give_up_address(self) -> None:
        """Let libpq go on with the next address, which it does by itself when a connect fails. Later in the dialogue there is no way to make it; then this was the last."""
        if self._too_late or self._conn.info.status != _CONNECTION_STARTED:
            raise self._error()
        self._too_late = True
        with socket.socket(fileno=os.dup(self._conn.fileno())) as copy:
            try:
                copy.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _error(self) -> psycopg2.OperationalError:
        info = self._conn.info
        where = f'on socket "{info.host}/.s.PGSQL.{info.port}"' if (info.host or "").startswith("/") else f'at "{info.host}", port {info.port}'
        return psycopg2.OperationalError(f"connection to server {where} failed: timeout expired")


def _connect_timeout(conn: Any) -> int:
    """Seconds, as libpq reads them; 0: no limit. The parameter, a service file's, or PGCONNECT_TIMEOUT: libpq has put them together."""
    text = conn.info.dsn_parameters.get("connect_timeout") or "0"
    try:
        seconds = int(text)
    except ValueError:
        raise psycopg2.OperationalError(f'invalid integer value "{text}" for connection option "connect_timeout"') from None
    return max(seconds, _SHORTEST_CONNECT_TIMEOUT) if seconds > 0 else 0


__all__ = ["wait_callback"]
