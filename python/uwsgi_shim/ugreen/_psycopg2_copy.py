"""COPY while others run. psycopg2's own refuses to work with a wait callback, so it is done here by libpq, on psycopg2's connection and in its transaction."""

import ctypes
import io
from typing import Any, Optional

import psycopg2  # type: ignore[import]
from psycopg2 import extensions, sql
from psycopg2.extensions import STATUS_READY, encodings  # type: ignore[import]

from _ugreen import wait_one

from ugreen import _libpq as pq
from ugreen import _psycopg2_errors

_COPY_OUT, _COPY_IN, _COPY_BOTH = 3, 4, 8
_COMMAND_OK, _TUPLES_OK = 1, 2

# While the socket takes nothing, libpq must still read from time to time: the server may wait for us to take its notices.
_WRITE_WAIT = 0.5


class Copy:
    """One COPY. ``cursor`` is psycopg2's; nobody else may use its connection meanwhile."""

    def __init__(self, cursor: Any, command: Any, file: Any, size: int) -> None:
        self.cursor = cursor
        self.conn = cursor.connection
        self.encoding = encodings[self.conn.encoding]
        self.command = command_bytes(cursor, command)
        self.file = file
        self.size = size
        if not self.conn.autocommit and self.conn.status == STATUS_READY:
            # psycopg2 begins its transaction in its own way, with whatever the session was set to. On a cursor apart: this one's last query is the COPY.
            with extensions.connection.cursor(self.conn) as other:
                other.execute("SELECT 1")
        self.pg = self.conn.pgconn_ptr

    def run(self) -> int:
        """Do it. Returns the number of rows; raises the server's error as psycopg2 does, or what the file raised."""
        if not self.pg:
            raise psycopg2.InterfaceError("connection already closed")
        if pq.PQsetnonblocking(self.pg, 1) or not pq.PQsendQuery(self.pg, self.command):
            raise self._lost()
        self._flush()
        result = self._result()
        status = pq.PQresultStatus(result)
        if status == _COPY_IN:
            self._clear(result)
            self._send()
        elif status == _COPY_OUT:
            self._clear(result)
            self._receive()
        elif status == _COPY_BOTH or status in (_COMMAND_OK, _TUPLES_OK):
            self._finish(result)
            raise psycopg2.ProgrammingError("only COPY ... FROM STDIN and COPY ... TO STDOUT can be run here")
        else:
            return self._finish(result)
        return self._finish(self._result())

    # :: The two directions

    def _send(self) -> None:
        try:
            while True:
                data = self.file.read(self.size)
                if not data:
                    break
                if not isinstance(data, (bytes, str)):
                    raise TypeError(f"read() must return str or bytes, not {type(data).__name__}")
                self._put(data if isinstance(data, bytes) else data.encode(self.encoding))
        except psycopg2.Error:
            raise
        except BaseException as error:
            if self.pg is None:
                # It was raised in a wait, and has closed the connection.
                raise
            # The server must hear that this is not the end of the data.
            self._end(f"error in read(): {type(error).__name__}".encode())
            self._finish(self._result(), quiet=True)
            raise
        self._end(None)

    def _put(self, data: bytes) -> None:
        while not (done := pq.PQputCopyData(self.pg, data, len(data))):
            self._wait(True)
        if done < 0:
            raise self._lost()
        # Not before all is out: what the socket does not take piles up in memory.
        self._flush()

    def _end(self, error: Optional[bytes]) -> None:
        while not (done := pq.PQputCopyEnd(self.pg, error)):
            self._wait(True)
        if done < 0:
            raise self._lost()
        self._flush()

    def _receive(self) -> None:
        text = isinstance(self.file, io.TextIOBase)
        try:
            while (data := self._get()) is not None:
                self.file.write(data.decode(self.encoding) if text else data)
        except psycopg2.Error:
            raise
        except BaseException:
            if self.pg is None:
                raise
            pq.CancelRequest(self.conn).send()
            while self._get() is not None:
                pass
            self._finish(self._result(), quiet=True)
            raise

    def _get(self) -> Optional[bytes]:
        """The next row; None at the end."""
        buffer = ctypes.c_void_p()
        while not (length := pq.PQgetCopyData(self.pg, ctypes.byref(buffer), 1)):
            self._read()
        if length == -1:
            return None
        if length < 0:
            raise self._lost()
        data = ctypes.string_at(buffer, length)
        pq.PQfreemem(buffer)
        return data

    # :: Waiting

    def _flush(self) -> None:
        while (left := pq.PQflush(self.pg)) > 0:
            self._wait(True)
        if left < 0:
            raise self._lost()

    def _read(self) -> None:
        self._wait(False)
        if not pq.PQconsumeInput(self.pg):
            raise self._lost()

    def _result(self) -> Any:
        while pq.PQisBusy(self.pg):
            self._read()
        return pq.PQgetResult(self.pg)

    def _wait(self, write: bool) -> None:
        try:
            wait_one(self.conn.fileno(), write, _WRITE_WAIT if write else None)
        except BaseException:
            # As psycopg2 does with a query: given up, with its connection.
            request = pq.CancelRequest(self.conn)
            self.conn.close()
            self.pg = None
            request.send()
            raise

    # :: Ends

    def _finish(self, result: Any, quiet: bool = False) -> int:
        """Take all results. Returns the number of rows; raises the first error unless ``quiet``."""
        rows, error = -1, None
        while result:
            if pq.PQresultStatus(result) == _COMMAND_OK:
                rows = int(pq.PQcmdTuples(result) or -1)
            elif error is None and pq.PQresultStatus(result) not in (_TUPLES_OK, _COPY_IN, _COPY_OUT):
                error = self._error(result)
            self._clear(result)
            result = self._result()
        if error is not None and not quiet:
            raise error
        return rows

    def _clear(self, result: Any) -> None:
        pq.PQclear(result)

    def _error(self, result: Any) -> psycopg2.Error:
        return _psycopg2_errors.of_result(self.cursor, result, self.encoding)

    def _lost(self) -> psycopg2.Error:
        return _psycopg2_errors.of_connection(self.cursor, self.pg, self.encoding)


def copy_expert(cursor: Any, command: Any, file: Any, size: int = 8192) -> int:
    """Run ``COPY … FROM STDIN`` or ``COPY … TO STDOUT`` on a cursor of psycopg2; the others run meanwhile.

    ``command``  the SQL: str, bytes or an object of psycopg2.sql
    ``file``     what has ``read(size)`` or ``write(data)``; a text file gets str, any other bytes

    Returns the number of rows. Raises the error of the server as psycopg2 does, and what the file raises; both leave the connection usable. An exception in the wait (a time limit) closes the connection.
    """
    if cursor.closed or cursor.connection.closed:
        raise psycopg2.InterfaceError("cursor already closed" if cursor.closed else "connection already closed")
    return Copy(cursor, command, file, size).run()


def command_bytes(cursor: Any, command: Any) -> bytes:
    """SQL that is a str, bytes or an object of psycopg2.sql, in the encoding of the connection."""
    text = command.as_string(cursor.connection) if isinstance(command, sql.Composable) else command
    if not isinstance(text, (bytes, str)):
        raise TypeError("argument 1 must be a string or unicode object")
    return text if isinstance(text, bytes) else text.encode(encodings[cursor.connection.encoding])


def copy_command(cursor: Any, table: str, columns: Any, direction: str, sep: str, null: str) -> sql.Composed:
    """The command that psycopg2's ``copy_from`` and ``copy_to`` run."""
    names = sql.SQL("({})").format(sql.SQL(",").join(map(sql.Identifier, columns))) if columns else sql.SQL("")
    return sql.SQL("COPY {}{} " + direction + " WITH DELIMITER AS {} NULL AS {}").format(sql.Identifier(table), names, sql.Literal(sep), sql.Literal(null))


__all__ = ["command_bytes", "copy_command", "copy_expert"]
