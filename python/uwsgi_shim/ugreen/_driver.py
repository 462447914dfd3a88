"""The WSGI driver: what runs on a green stack for every request (PEP 3333, from the server's side).

Each name imported from ``_ugreen`` is a hub call: a switch to the hub, which does the work in C# and comes back when it
is done. Everything about the request lives there; this file is only the order of the calls.
"""

from __future__ import annotations

import socket
import sys
import traceback
from typing import TYPE_CHECKING, Any, Dict, Optional

from _ugreen import begin, end, fail, raise_told, respond, send, start_response, tolerates_bytes, wait_fd_read, wait_fd_write, worker_count
from ugreen import _apps, _files, _input
from ugreen._files import FileWrapper
from ugreen._harakiri import Harakiri

if TYPE_CHECKING:
    from types import FrameType
    from wsgiref.types import WSGIApplication, WSGIEnvironment

# Their frames say nothing about the application's mistake.
_OWN_FILES = (__file__, _apps.__file__, _files.__file__)

#: The loaded application; set once by ``_boot``.
application: WSGIApplication = _apps.not_found


def serve() -> None:
    """Run the application for the request that this green thread was started for. Never raises."""
    result: Any = None
    core = -1
    try:
        try:
            environ = begin()
            if environ["wsgi.input"] is None:
                core = environ["uwsgi.core"]
                environ["wsgi.input"] = _input.open_body(core)
                if "CONTENT_LENGTH" in environ:
                    # The key says "read until it ends". Werkzeug does not count the bytes then, and takes a client that leaves for an error of the application; counting, it knows.
                    del environ["wsgi.input_terminated"]
            result = application(environ, start_response)
            # The usual small page: one block, and neither list nor tuple has a close().
            if (type(result) is list or type(result) is tuple) and len(result) == 1 and respond(result[0]):
                return
            chunks = result
            if type(result) is FileWrapper:
                sent = _files.respond(result)
                if sent is not False:
                    if sent is None:
                        end()
                    return
                chunks = _files.blocks(result)
            elif issubclass(type(result), bytes) and tolerates_bytes():
                # As a list of one: iterating would give numbers.
                chunks = (result,)
            told = False
            for chunk in chunks:
                ended = send(chunk)
                if ended is not None or told:
                    told = _tell(environ, ended)
            end()
        except BaseException as error:
            # SystemExit and KeyboardInterrupt too: an application must not be able to end the other requests of its worker.
            _fail(error)
        finally:
            if result is not None:
                _close(result)
            if core >= 0:
                _input.close_body(core)
    except BaseException as error:
        # The time was over while an error of the application was being reported. (A second try costs nothing while nothing is raised.)
        _fail(error)


def environ_of(frame: Optional[FrameType]) -> Optional[WSGIEnvironment]:
    """The environ of the request that this frame belongs to; None: to none. Nothing is kept for it: the frames below have it."""
    while frame is not None and frame.f_code is not serve.__code__:
        frame = frame.f_back
    return None if frame is None else frame.f_locals.get("environ")


def environ_template() -> Dict[str, Any]:
    """The keys that all requests share. ``wsgi.input`` is the empty body; requests with a body get a reader."""
    import uwsgi

    return {
        "SCRIPT_NAME": "",
        "wsgi.version": (1, 0),
        "wsgi.input": _input.NoBody(),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        # Requests interleave at every switch, so an application object is used by several at once.
        "wsgi.multithread": True,
        "wsgi.multiprocess": worker_count > 1,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "uwsgi.version": uwsgi.version,
        "uwsgi.node": socket.gethostname().encode("utf-8", "surrogateescape"),
        "x-wsgiorg.fdevent.readable": wait_fd_read,
        "x-wsgiorg.fdevent.writable": wait_fd_write,
        "x-wsgiorg.fdevent.timeout": None,
        "uwsgi.ready_fd": None,
    }


def _tell(environ: WSGIEnvironment, ended: Optional[int]) -> bool:
    """What the yield waited for (see ``send``), in the keys where programs for uWSGI look; False when they are as in the template."""
    environ["x-wsgiorg.fdevent.timeout"] = True if ended == -1 else None
    environ["uwsgi.ready_fd"] = ended if ended is not None and ended >= 0 else None
    return ended is not None


def _fail(error: BaseException) -> None:
    """The application raised this, perhaps because a call of C was ended for another one: that one counts, and has this as its context."""
    try:
        raise_told()
    except BaseException as told:
        fail(_traceback(), isinstance(told, Harakiri))
    else:
        fail(_traceback(), isinstance(error, Harakiri))


def _traceback() -> str:
    kind, error, trace = sys.exc_info()
    # With no other frame left the message says it all.
    while trace is not None and trace.tb_frame.f_code.co_filename in _OWN_FILES:
        trace = trace.tb_next
    return "".join(traceback.format_exception(kind, error, trace))


def _close(result: Any) -> None:
    try:
        close = getattr(result, "close", None)
        if close is not None:
            close()
    except BaseException as error:
        # The response is gone already: this can only be told to the log.
        _fail(error)
