"""Requests that do not end by themselves (in reasonable time), each in its own way; the path names the function."""

import ctypes
import os
import sys
import threading
import time
import urllib.parse

import ugreen
import uwsgi
import uwsgidecorators


def sleep(give_up):
    ugreen.sleep(give_up)


def suspend(give_up):
    uwsgi.async_sleep(give_up)
    uwsgi.suspend()


def fd(give_up):
    reader, writer = os.pipe()
    try:
        ugreen.wait_read(reader, give_up)
    finally:
        os.close(reader)
        os.close(writer)


def event(give_up):
    ugreen.Event().wait(give_up)


def busy(give_up):
    end = time.monotonic() + give_up
    while time.monotonic() < end:
        pass


def busy_except(give_up):
    end = time.monotonic() + give_up
    while time.monotonic() < end:
        try:
            sum(range(100))
        except Exception:
            pass


def busy_calls(give_up):
    # Most of the time in the shim's own code, which must not be hit.
    end = time.monotonic() + give_up
    event = ugreen.Event()
    while time.monotonic() < end:
        event.set()
        event.clear()


def busy_yielding(give_up):
    end = time.monotonic() + give_up
    while time.monotonic() < end:
        sum(range(20_000))
        ugreen.sleep(0)


def mixed(give_up):
    end = time.monotonic() + give_up
    while time.monotonic() < end:
        busy(0.01)
        ugreen.sleep(0.02)


def thread_lock(give_up):
    # It releases the GIL and blocks the OS thread, for a moment each time.
    lock = threading.Lock()
    lock.acquire()
    end = time.monotonic() + give_up
    while time.monotonic() < end:
        lock.acquire(timeout=0.05)


WAYS = {f.__name__: f for f in (sleep, suspend, fd, event, busy, busy_except, busy_calls, busy_yielding, mixed, thread_lock)}


@uwsgidecorators.harakiri(0.3)
def decorated(give_up):
    """decorated"""
    sleep(give_up)
    return "value"


def text(start_response, what):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [what.encode()]


def streamed(start_response, way, give_up):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"part"
    WAYS[way](give_up)
    yield b"end"


def block(seconds: float) -> None:
    """A wait that holds up the worker: the system call itself, past the C library's functions that wait green."""
    nanosleep = 35
    time = (ctypes.c_long * 2)(int(seconds), int(seconds % 1 * 1e9))
    ctypes.CDLL(None).syscall(nanosleep, time, None)


def swallow(way, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            WAYS[way](max(end - time.monotonic(), 0))
        except BaseException:
            pass


def outside():
    """What set_user_harakiri() raises in an OS thread and in a spawned function."""
    seen = []

    def call():
        try:
            uwsgi.set_user_harakiri(1)
        except Exception as error:
            seen.append(type(error).__name__)

    ugreen.run_in_thread(call)
    ugreen.spawn(call).join()
    return " ".join(seen)


def application(environ, start_response):
    path, query = environ["PATH_INFO"][1:], dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))
    give_up, seconds, limit = (float(query.get(name, 0)) for name in ("give_up", "seconds", "limit"))
    way = query.get("way")
    if path in WAYS:
        try:
            WAYS[path](give_up)
        finally:
            sys.stderr.write(f"finally of {path}\n")
    elif path == "echo":
        return text(start_response, environ["QUERY_STRING"])
    elif path == "quick":
        return text(start_response, "quick")
    elif path == "pause":
        ugreen.sleep(seconds)
        return text(start_response, "paused")
    elif path == "body":
        environ["wsgi.input"].read()
    elif path == "caught":
        try:
            WAYS[way](give_up)
        except uwsgi.Harakiri as error:
            return text(start_response, f"caught {type(error).__name__} {type(error) is ugreen.Harakiri}")
    elif path == "streamed":
        return streamed(start_response, way, give_up)
    elif path == "swallowed":
        swallow(way, seconds)
    elif path == "blocked":
        block(seconds)
        busy(seconds)
    elif path == "user":
        uwsgi.set_user_harakiri(limit)
        WAYS[way](give_up)
    elif path == "user_back":
        uwsgi.set_user_harakiri(limit)
        uwsgi.set_user_harakiri(0)
        ugreen.sleep(seconds)
        return text(start_response, "done")
    elif path == "user_left":
        uwsgi.set_user_harakiri(limit)
        return text(start_response, "done")
    elif path == "user_outside":
        return text(start_response, outside())
    elif path == "decorated":
        decorated(give_up)
    elif path == "decorated_quick":
        return text(start_response, f"{decorated(0)} {decorated.__doc__} {decorated.__name__ == 'decorated'}")
    elif path == "both":
        uwsgi.set_user_harakiri(0.2)
        try:
            sleep(give_up)
        except ugreen.Harakiri:
            sys.stderr.write("caught the first\n")
        sleep(give_up)
    return text(start_response, f"{path} ended")
