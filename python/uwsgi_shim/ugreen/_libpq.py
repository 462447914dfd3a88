"""The functions of libpq that psycopg2 does not pass on, called by ctypes on the connection that psycopg2 has.

They come from the very library that psycopg2 is linked with: its own module is asked for them.
"""

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_void_p
from typing import Any, Optional

import psycopg2  # type: ignore[import]
from psycopg2 import _psycopg

from ugreen import _cancel
from ugreen._sync import Event

# What only looks at memory, or at a socket that does not block, keeps the GIL; PQcancel opens a connection and waits, so it must not.
_quick = ctypes.PyDLL(_psycopg.__file__)
_slow = ctypes.CDLL(_psycopg.__file__)


def _function(library: ctypes.CDLL, name: str, result: Any, *arguments: Any) -> Any:
    function = getattr(library, name, None)
    if function is None:
        raise ImportError(f"{_psycopg.__file__} hides libpq's {name}: install Debian's python3-psycopg2, or psycopg2 (or psycopg2-binary) from a package that is linked with a shared libpq")
    function.restype, function.argtypes = result, arguments
    return function


PQconsumeInput = _function(_quick, "PQconsumeInput", c_int, c_void_p)
PQclear = _function(_quick, "PQclear", None, c_void_p)
PQcmdTuples = _function(_quick, "PQcmdTuples", c_char_p, c_void_p)
PQerrorMessage = _function(_quick, "PQerrorMessage", c_char_p, c_void_p)
PQflush = _function(_quick, "PQflush", c_int, c_void_p)
PQfreemem = _function(_quick, "PQfreemem", None, c_void_p)
PQgetCopyData = _function(_quick, "PQgetCopyData", c_int, c_void_p, POINTER(c_void_p), c_int)
PQgetResult = _function(_quick, "PQgetResult", c_void_p, c_void_p)
PQisBusy = _function(_quick, "PQisBusy", c_int, c_void_p)
PQputCopyData = _function(_quick, "PQputCopyData", c_int, c_void_p, c_char_p, c_int)
PQputCopyEnd = _function(_quick, "PQputCopyEnd", c_int, c_void_p, c_char_p)
PQresultErrorField = _function(_quick, "PQresultErrorField", c_char_p, c_void_p, c_int)
PQresultErrorMessage = _function(_quick, "PQresultErrorMessage", c_char_p, c_void_p)
PQresultStatus = _function(_quick, "PQresultStatus", c_int, c_void_p)
PQsendQuery = _function(_quick, "PQsendQuery", c_int, c_void_p, c_char_p)
PQsetnonblocking = _function(_quick, "PQsetnonblocking", c_int, c_void_p, c_int)

_get_cancel = _function(_quick, "PQgetCancel", c_void_p, c_void_p)
_free_cancel = _function(_quick, "PQfreeCancel", None, c_void_p)
_request_cancel = _function(_slow, "PQcancel", c_int, c_void_p, c_char_p, c_int)


class CancelRequest:
    """Asks the server to end what a connection does just now; from an OS thread, because libpq waits for the answer. Needs the connection only while it is made."""

    def __init__(self, conn: Any) -> None:
        """``conn`` is psycopg2's, and open. Raises psycopg2.InterfaceError when it is not."""
        self.done = Event()
        self.error: Optional[str] = None
        pointer = conn.pgconn_ptr
        self._handle = _get_cancel(pointer) if pointer else None
        if not self._handle:
            raise psycopg2.InterfaceError("there is no connection whose query could be cancelled")

    def send(self) -> "CancelRequest":
        """Have it sent, without waiting; ``done`` is set afterwards, and ``error`` is a text when it could not be sent."""
        _cancel.send(self._send)
        return self

    def _send(self) -> None:
        # The size is PQcancel's own recommendation for error texts.
        text = ctypes.create_string_buffer(256)
        if not _request_cancel(self._handle, text, len(text)):
            self.error = text.value.decode(errors="replace").strip()
        _free_cancel(self._handle)
        self.done.set()


__all__ = ["CancelRequest"]
