"""The WSGI driver: what runs on a green stack for every request (PEP 3333, from the server's side).

Each name imported from ``_ugreen`` is a hub call: a switch to the hub, which does the work in C# and comes back when it
is done. Everything about the request lives there; this file is only the order of the calls.
"""

import io
import socket
import sys
import traceback
from wsgiref.util import FileWrapper

from _ugreen import begin, end, fail, read_into, respond, send, start_response, wait_fd_read, wait_fd_write
from ugreen import _apps

# Their frames say nothing about the application's mistake.
_OWN_FILES = (__file__, _apps.__file__)

#: The loaded application; set once by ``_boot``.
application = None


def serve():
    """Run the application for the request that this green thread was started for. Never raises."""
    result = None
    try:
        environ = begin()
        if environ["wsgi.input"] is None:
            environ["wsgi.input"] = _body_reader()
        result = application(environ, start_response)
        # The usual small page: one block, and neither list nor tuple has a close().
        if (type(result) is list or type(result) is tuple) and len(result) == 1 and respond(result[0]):
            return
        for chunk in result:
            send(chunk)
        end()
    except BaseException:
        # SystemExit and KeyboardInterrupt too: an application must not be able to end the other requests of its worker.
        fail(_traceback())
    finally:
        if result is not None:
            _close(result)


def environ_template():
    """The keys that all requests share. ``wsgi.input`` is the empty body; requests with a body get a reader."""
    import uwsgi

    return {
        "SCRIPT_NAME": "",
        "wsgi.version": (1, 0),
        "wsgi.input": _NoBody(),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        # Requests interleave at every switch, so an application object is used by several at once.
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "uwsgi.version": uwsgi.version,
        "uwsgi.node": socket.gethostname().encode("utf-8", "surrogateescape"),
        "x-wsgiorg.fdevent.readable": wait_fd_read,
        "x-wsgiorg.fdevent.writable": wait_fd_write,
        "x-wsgiorg.fdevent.timeout": None,
    }


def _traceback():
    kind, error, trace = sys.exc_info()
    # With no other frame left the message says it all.
    while trace is not None and trace.tb_frame.f_code.co_filename in _OWN_FILES:
        trace = trace.tb_next
    return "".join(traceback.format_exception(kind, error, trace))


def _close(result):
    try:
        close = getattr(result, "close", None)
        if close is not None:
            close()
    except BaseException:
        # The response is gone already: this can only be told to the log.
        fail(_traceback())


class _NoBody(io.RawIOBase):
    """The body of a request that has none. One object serves all requests, so it keeps nothing and cannot be closed."""

    def readable(self):
        return True

    def readinto(self, buffer):
        return 0

    def read(self, size=-1):
        return b""

    def close(self):
        pass


class _Body(io.RawIOBase):
    """The request body as it arrives; parks the green thread while there is nothing to read."""

    def readable(self):
        return True

    def readinto(self, buffer):
        return read_into(buffer)


# Python's own buffered reader does read(), readline(), readlines() and iteration to the letter, in C.
_BUFFER_BYTES = 64 * 1024


def _body_reader():
    return io.BufferedReader(_Body(), _BUFFER_BYTES)
