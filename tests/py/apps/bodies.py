"""The application of test_bodies_*.py: large and slow bodies in both directions. The first part of the path says how."""

import gzip
import io
import json
import os
import tempfile
import textwrap
import threading
import zlib
from urllib.parse import parse_qsl

import uwsgi

import checkpoint

#: What requests have noted about themselves, for a later request to read.
notes = []

BLOCK = b"0123456789abcdef" * 4096


def application(environ, start_response):
    query = dict(parse_qsl(environ["QUERY_STRING"]))
    return PAGES[environ["PATH_INFO"].strip("/")](environ, start_response, query)


def plain(start_response, text):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(text).encode()]


def small(environ, start_response, query):
    return plain(start_response, "small")


def upload(environ, start_response, query):
    """Counts and sums up the body, ?step bytes at a time."""
    read, step = environ["wsgi.input"].read, int(query.get("step", 65536))
    count = check = 0
    while piece := read(step):
        count += len(piece)
        # Enough to notice blocks that are lost, doubled or exchanged, at a fraction of a checksum's price.
        check = zlib.adler32(piece[:64], check)
    return plain(start_response, f"{count} {check}")


def chunked(environ, start_response, query):
    count = check = 0
    while piece := uwsgi.chunked_read():
        count += len(piece)
        check = zlib.crc32(piece, check)
    return plain(start_response, f"{count} {check}")


def blocks(environ, start_response, query):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return (BLOCK for _ in range(int(query["size"]) // len(BLOCK)))


def wrapper(environ, start_response, query):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return environ["wsgi.file_wrapper"](open(query["path"], "rb"))


def sendfile(environ, start_response, query):
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(os.path.getsize(query["path"])))])
    assert uwsgi.sendfile(query["path"]) is True
    return []


def bytes_io(environ, start_response, query):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return environ["wsgi.file_wrapper"](io.BytesIO(BLOCK * int(query["blocks"])), 10_000)


def code(environ, start_response, query):
    """The body of a function, from a header; what it returns is the response."""
    names = {
        "environ": environ, "start_response": start_response, "note": notes.append, "reach": checkpoint.reach, "wrapper": environ["wsgi.file_wrapper"],
        "ok": lambda *headers: start_response("200 OK", [("Content-Type", "application/octet-stream"), *headers]),
        "__name__": "code", "gzip": gzip, "io": io, "os": os, "tempfile": tempfile, "threading": threading, "uwsgi": uwsgi, **json.loads(environ["HTTP_X_VALUES"]),
    }
    exec(compile("def body():\n" + textwrap.indent(json.loads(environ["HTTP_X_CODE"]), "    "), "<test>", "exec"), names)
    return names["body"]()


def noted(environ, start_response, query):
    found, notes[:] = json.dumps(notes), []
    return plain(start_response, found)


PAGES = {"code": code, "noted": noted, "": small, "small": small, "upload": upload, "chunked": chunked, "blocks": blocks, "wrapper": wrapper, "sendfile": sendfile, "bytes-io": bytes_io}
