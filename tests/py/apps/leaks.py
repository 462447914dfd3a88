"""Requests of all kinds, and /counts: what a request that leaves something behind would make grow."""

import contextvars
import gc
import json
import os
import sys
import threading

import uwsgi

VARIABLE = contextvars.ContextVar("VARIABLE")
PIPE = os.pipe2(os.O_NONBLOCK)
TEXT = [("Content-Type", "text/plain")]


def plain(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"hello"]


def switching(environ, start_response):
    VARIABLE.set([environ])
    for _ in range(3):
        uwsgi.suspend()
    start_response("200 OK", [("X-Core", str(environ["uwsgi.core"])), *TEXT])
    return [b"hello"]


def waiting(environ, start_response):
    """Registers an fd and a deadline each time, and leaves both behind."""
    uwsgi.async_sleep(0.0001)
    uwsgi.suspend()
    uwsgi.wait_fd_read(PIPE[0], 3600)
    uwsgi.async_sleep(3600)
    start_response("200 OK", TEXT)
    return [b"hello"]


def streaming(environ, start_response):
    start_response("200 OK", [("Content-Length", "10"), *TEXT])
    for _ in range(2):
        yield b"hello"


def failing(environ, start_response):
    try:
        uwsgi.wait_fd_read(-1)
    except OSError:
        uwsgi.suspend()
        start_response("200 OK", TEXT, sys.exc_info())
    return [b"hello"]


def cyclic(environ, start_response):
    loop = [environ, start_response]
    loop.append(loop)
    write = start_response("200 OK", [("Content-Length", "5"), *TEXT])
    write(b"hello")
    threading.current_thread()
    return []


PATHS = {f"/{f.__name__}": f for f in (plain, switching, waiting, streaming, failing, cyclic)}


def counts(environ, start_response):
    for _ in range(3):
        gc.collect()
    objects = gc.get_objects()
    kinds = {}
    for thing in objects:
        kinds[type(thing).__name__] = kinds.get(type(thing).__name__, 0) + 1
    answer = {
        "objects": len(objects),
        "kinds": kinds,
        "blocks": sys.getallocatedblocks(),
        "contexts": sum(type(o) is contextvars.Context for o in objects),
        "references to None": sys.getrefcount(None),
        "references to the empty bytes": sys.getrefcount(b""),
        "references to a header name": sys.getrefcount("HTTP_HOST"),
        "references to the environ's class": sys.getrefcount(dict),
        "fds": len(os.listdir("/proc/self/fd")),
        "resident": uwsgi.mem()[0],
        "threads": threading.active_count(),
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]


def application(environ, start_response):
    return PATHS.get(environ["PATH_INFO"], counts)(environ, start_response)
