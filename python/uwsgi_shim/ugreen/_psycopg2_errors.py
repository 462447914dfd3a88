"""Errors of the server as psycopg2 raises them, made from a result of libpq that psycopg2 has not seen: with ``pgcode``, ``pgerror``, ``diag`` and ``cursor``.

psycopg2 fills the last two from C, and nobody else can. So each of its classes has one below it here, under the same name, where they are what we know.
"""

import functools
import re
from typing import Any, Dict, Optional, Tuple

import psycopg2  # type: ignore[import]
from psycopg2 import errors, extensions

from ugreen import _libpq as pq

# Fields of an error (PG_DIAG_… in libpq), by the names that psycopg2 gives them.
_FIELDS = {
    "severity": "S", "severity_nonlocalized": "V", "sqlstate": "C", "message_primary": "M", "message_detail": "D", "message_hint": "H", "statement_position": "P", "internal_position": "p",
    "internal_query": "q", "context": "W", "schema_name": "s", "table_name": "t", "column_name": "c", "datatype_name": "d", "constraint_name": "n", "source_file": "F", "source_line": "L",
    "source_function": "R",
}


class Diagnostics(extensions.Diagnostics):  # type: ignore[misc]
    """What the server says about an error, field by field; None for what it does not say."""

    def __init__(self, error: Any) -> None:
        super().__init__(error)
        self._fields: Dict[str, str] = error._ugreen_fields


def _field(name: str, self: Any) -> Optional[str]:
    return self._fields.get(name)  # type: ignore[no-any-return]


for _name in _FIELDS:
    setattr(Diagnostics, _name, property(functools.partial(_field, _name), doc=getattr(extensions.Diagnostics, _name).__doc__))


@functools.lru_cache(maxsize=None)
def _below(kind: Any) -> Any:
    def reduce(self: Any) -> Tuple[Any, ...]:
        # What comes out of a pickle is psycopg2's own, which has neither cursor nor diag either.
        return kind, self.args, {"pgerror": self.pgerror, "pgcode": self.pgcode}

    return type(kind.__name__, (kind,), {
        "__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__, "__reduce__": reduce,
        "cursor": None, "_ugreen_fields": {}, "diag": property(Diagnostics),
    })


def _make(kind: Any, cursor: Any, text: str, message: Optional[str], code: Optional[str], fields: Dict[str, str]) -> psycopg2.Error:
    error = _below(kind)(text)
    error.__setstate__({"pgerror": message, "pgcode": code})
    error.cursor, error._ugreen_fields = cursor, fields
    return error


def of_result(cursor: Any, result: Any, encoding: str) -> psycopg2.Error:
    """The error that a result tells of."""
    message = (pq.PQresultErrorMessage(result) or b"").decode(encoding, "replace")
    fields = {name: text.decode(encoding, "replace") for name, code in _FIELDS.items() if (text := pq.PQresultErrorField(result, ord(code))) is not None}
    sqlstate = fields.get("sqlstate")
    try:
        kind = errors.lookup(sqlstate or "")
    except KeyError:
        kind = psycopg2.DatabaseError
    # As psycopg2: the text without "ERROR:", the whole in pgerror.
    return _make(kind, cursor, re.sub(r"^[A-Z]+:\s+", "", message), message, sqlstate, fields)


def of_connection(cursor: Any, pg: Any, encoding: str) -> psycopg2.Error:
    """The error of a connection that was lost."""
    message = (pq.PQerrorMessage(pg) or b"").decode(encoding, "replace")
    return _make(psycopg2.OperationalError, cursor, message or "the connection was lost", message or None, None, {})


__all__ = ["Diagnostics", "of_connection", "of_result"]
