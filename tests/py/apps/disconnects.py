"""Responses whose client goes away at a chosen moment. Every request has a name; what happens to it is kept and shown at /events?name=N&until=EVENT."""

import json
import os
import time
import urllib.parse

import uwsgi

import checkpoint
import meeting

EVENTS = {}
CHUNK = b"x" * 32768


class Body:
    """An iterable with a close(), as PEP 3333 has it."""

    def __init__(self, name, chunks):
        self.note, self.chunks = EVENTS[name].append, chunks

    def __iter__(self):
        return self.chunks

    def close(self):
        self.note("closed")
        self.chunks.close()


def _park(name, note, register):
    """Park on what was registered, having told the test first."""
    with checkpoint.connect("parks", request=name):
        register()
        uwsgi.suspend()
        note(["woke", uwsgi.ready_fd()])


def _never():
    uwsgi.wait_fd_read(SILENT[0])


def _hour():
    uwsgi.async_sleep(3600)


SILENT = os.pipe()


def _write_until_it_fails(name, note, write):
    """A client that is gone or does not read makes this end with an OSError."""
    try:
        for _ in range(100000):
            write(CHUNK)
            EVENTS[name + " bytes"] = EVENTS.get(name + " bytes", 0) + len(CHUNK)
    except OSError as error:
        note(["OSError", error.errno])
    else:
        note("no error")


def before_start_response(name, note, start_response, environ):
    _park(name, note, _never)
    _write_until_it_fails(name, note, start_response("200 OK", []))
    return Body(name, iter_of())


def before_the_first_byte(name, note, start_response, environ):
    def chunks():
        try:
            _park(name, note, _never)
            for _ in range(100):
                yield CHUNK
            note("all sent")
        finally:
            note("generator closed")

    start_response("200 OK", [])
    return Body(name, chunks())


def mid_stream(name, note, start_response, environ, register=_never):
    def chunks():
        try:
            yield b"first"
            _park(name, note, register)
            for _ in range(100):
                yield CHUNK
            note("all sent")
        finally:
            note("generator closed")

    start_response("200 OK", [])
    return Body(name, chunks())


def mid_stream_in_a_sleep(name, note, start_response, environ):
    return mid_stream(name, note, start_response, environ, _hour)


def mid_stream_in_a_yield(name, note, start_response, environ):
    """Parked by the server's own switch after a chunk, not by a call of the application."""
    def chunks():
        try:
            yield b"first"
            with checkpoint.connect("parks", request=name):
                yield uwsgi.wait_fd_read(SILENT[0])
            note(["woke", uwsgi.ready_fd()])
            for _ in range(100):
                yield CHUNK
            note("all sent")
        finally:
            note("generator closed")

    start_response("200 OK", [])
    return Body(name, chunks())


def while_it_spins(name, note, start_response, environ):
    """Never parked, so nobody can be woken: the write tells."""
    write = start_response("200 OK", [])
    write(b"first")
    with checkpoint.connect("parks", request=name):
        end = time.monotonic() + 30
        while name not in SPUN and time.monotonic() < end:
            uwsgi.suspend()
    _write_until_it_fails(name, note, write)
    return Body(name, iter_of())


SPUN = set()


def blocked_in_write(name, note, start_response, environ):
    _write_until_it_fails(name, note, start_response("200 OK", []))
    return Body(name, iter_of())


def blocked_in_yield(name, note, start_response, environ):
    def chunks():
        try:
            for _ in range(100000):
                EVENTS[name + " bytes"] = EVENTS.get(name + " bytes", 0) + len(CHUNK)
                yield CHUNK
            note("all sent")
        finally:
            note("generator closed")

    start_response("200 OK", [])
    return Body(name, chunks())


def reading_the_body(name, note, start_response, environ):
    with checkpoint.connect("parks", request=name):
        try:
            note(["read", len(environ["wsgi.input"].read())])
        except OSError as error:
            note(["OSError while reading", error.errno is not None])
    _write_until_it_fails(name, note, start_response("200 OK", []))
    return Body(name, iter_of())


def iter_of():
    return (x for x in ())


def answer(start_response, value):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(value).encode()]


def application(environ, start_response):
    query = dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))
    path, name = environ["PATH_INFO"][1:], query.get("name")
    if path == "events":
        end = time.monotonic() + 20
        while query["until"] not in EVENTS.get(name, ()) and time.monotonic() < end:
            uwsgi.async_sleep(0.005)
            uwsgi.suspend()
        return answer(start_response, EVENTS.get(name, []))
    if path == "bytes":
        return answer(start_response, EVENTS.get(name + " bytes", 0))
    if path == "spun":
        SPUN.add(name)
        return answer(start_response, True)
    if path == "meet":
        meeting.meet(name, int(query["n"]))
        return answer(start_response, environ["uwsgi.core"])
    EVENTS[name] = []
    return globals()[path](name, EVENTS[name].append, start_response, environ)
