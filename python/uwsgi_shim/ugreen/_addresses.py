"""Addresses to connect to: ``"127.0.0.1:80"``, ``"[::1]:80"``, ``"host.example:80"``, a path, ``"@abstract"``.

A numeric address needs no lookup. A host name does, and the C library's blocks; so an OS thread does it while the green thread waits.
"""

import _thread
import socket
from time import monotonic
from typing import Any, List, Optional, Tuple

from _ugreen import green_id
from ugreen._sync import Semaphore
from ugreen._wait import Waiter

# sun_path has 108 bytes: a path needs one for its end, an abstract name one for its beginning.
_UNIX_BYTES = 107

# A thread whose resolver does not answer stays until that gives up, ten seconds or more, also when nobody waits any more. What is more than this waits for a turn.
_LOOKUPS = 8

_turns = Semaphore(_LOOKUPS)


def parse(function: str, addr: str) -> Tuple[int, Any, int]:
    """(family, host or path, port). Raises TypeError or ValueError for what is no address."""
    if not isinstance(addr, str):
        raise TypeError(f"{function}(): addr must be str, not {type(addr).__name__}")
    if addr[:1] in ("@", "\0"):
        return socket.AF_UNIX, b"\0" + _unix_name(function, addr, addr[1:]), 0
    if "/" in addr or ":" not in addr:
        return socket.AF_UNIX, _unix_name(function, addr, addr), 0
    host, _, port = addr.rpartition(":")
    if not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536):
        raise ValueError(f"{function}(): addr {addr!r} needs a port from 1 to 65535 behind the colon")
    if host[:1] == "[" and host[-1:] == "]":
        return socket.AF_INET6, host[1:-1], int(port)
    if ":" in host:
        raise ValueError(f"{function}(): addr {addr!r}: write an IPv6 address as [::1]:80")
    return socket.AF_INET, host, int(port)


def resolve(function: str, addr: str, end: Optional[float] = None) -> List[Tuple[int, Any]]:
    """All that an address stands for: a list of (family, address for connect()). Empty when it is unknown, or not known by ``end`` (a ``monotonic()`` time)."""
    family, host, port = parse(function, addr)
    if family == socket.AF_UNIX:
        return [(family, host)]
    if family == socket.AF_INET6:
        try:
            found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST | socket.AI_NUMERICSERV)
        except (OSError, ValueError):
            raise ValueError(f"{function}(): addr {addr!r} has no IPv6 address in its brackets") from None
        return [(family, found[0][4])]
    try:
        name = host.encode("idna")
    except UnicodeError:
        name = b""
    if not name or b"\0" in name:
        raise ValueError(f"{function}(): addr {addr!r} has no host before the colon")
    try:
        socket.inet_pton(socket.AF_INET, host)
        return [(family, (host, port))]
    except OSError:
        return [(found[0], found[4]) for found in _look_up(name, port, end)]


def _unix_name(function: str, addr: str, name: str) -> bytes:
    data = name.encode("utf-8", "surrogateescape")
    if not data or b"\0" in data or len(data) > _UNIX_BYTES:
        raise ValueError(f"{function}(): addr {addr!r} is no path or name of 1 to {_UNIX_BYTES} bytes")
    return data


def _look_up(name: bytes, port: int, end: Optional[float]) -> List[Any]:
    if green_id() < 0:
        # An OS thread of its own already, or import time.
        return _ask(name, port)
    if not _turns.acquire(timeout=_left(end)):
        return []
    found: List[Any] = []
    waiter = Waiter()

    def work() -> None:
        try:
            found.extend(_ask(name, port))
        finally:
            _turns.release()
            waiter.grant()

    try:
        _thread.start_new_thread(work, ())
    except BaseException:
        _turns.release()
        raise
    return found if waiter.wait(_left(end)) else []


def _ask(name: bytes, port: int) -> List[Any]:
    try:
        return socket.getaddrinfo(name, port, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICSERV)
    except OSError:
        return []


def _left(end: Optional[float]) -> Optional[float]:
    return None if end is None else max(0, end - monotonic())
