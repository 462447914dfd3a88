"""Several applications in one worker, and the answers where there is none. A server with one application uses nothing of this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, Iterable, Union

from _ugreen import serves

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def dispatcher(applications: Dict[str, WSGIApplication]) -> WSGIApplication:
    """A WSGI callable that chooses among applications: dict of mountpoint (native string, "" for the root) to callable.

    As CGI has it: the mountpoint moves from PATH_INFO, which is decoded, to SCRIPT_NAME. A front web server that has said a SCRIPT_NAME which is a
    mountpoint has moved it already.
    """
    root = applications.get("", not_found)
    numbers = {point: number for number, point in enumerate(applications)}
    # One that there is not has the number behind them all.
    root_number = numbers.get("", len(numbers))
    by_name = {point: application for point, application in applications.items() if point}
    # The longest first. A list and not a look-up of every prefix: a client decides how many prefixes a path has, the operator how many mountpoints.
    points = [(point, point + "/", numbers[point], by_name[point]) for point in sorted(by_name, key=len, reverse=True)]

    def dispatch(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        script = environ["SCRIPT_NAME"]
        if script and script in by_name:
            serves(numbers[script])
            return by_name[script](environ, start_response)
        path = environ["PATH_INFO"]
        for point, below, number, application in points:
            if path.startswith(below) or path == point:
                serves(number)
                environ["SCRIPT_NAME"] = script + point
                environ["PATH_INFO"] = path[len(point):]
                return application(environ, start_response)
        serves(root_number)
        return root(environ, start_response)

    return dispatch


def not_found(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """What a path gets that no application is mounted for."""
    return _plain(start_response, "404 Not Found", b"Not Found\n")


def unavailable(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Stands in for an application that could not be loaded, with --need-app=false."""
    return _plain(start_response, "500 Internal Server Error", b"Internal Server Error\n")


def mountpoint(key: Union[str, bytes]) -> str:
    """The native string of a key of an applications dict: str or bytes; "/" and "" are the root. ValueError for what is no mountpoint."""
    if not isinstance(key, (str, bytes)):
        raise ValueError(f"the mountpoint {key!r} is neither str nor bytes")
    native = (key.encode("utf-8", "surrogateescape") if isinstance(key, str) else key).decode("latin-1")
    trimmed = native.removesuffix("/")
    if trimmed and not trimmed.startswith("/") or trimmed.endswith("/") or "//" in trimmed:
        raise ValueError(f"{key!r} is not a mountpoint: one begins with '/', as in '/blog'")
    return trimmed


def _plain(start_response: StartResponse, status: str, body: bytes) -> Iterable[bytes]:
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]
