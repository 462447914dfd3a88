"""The application of test_fronts_*.py. Its pages are those of wsgi_app, those of http_app below /http/, and the ones below; /validated/PAGE is any of the first kind within wsgiref.validate."""

import contextvars
import hashlib
import io
import json
import random
from wsgiref.validate import validator

import checkpoint
import http_app
import uwsgi
import wsgi_app
from wsgi_app import TEXT, note, query

OWNER = contextvars.ContextVar("owner")


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/http/"):
        environ["PATH_INFO"] = path.removeprefix("/http")
        return http_app.application(environ, start_response)
    if path.startswith("/environ/"):
        return http_app.environ_page(environ, start_response, {})
    if path.startswith("/validated/"):
        return validator(PAGES[path.removeprefix("/validated/")])(environ, start_response)
    return PAGES[path.strip("/")](environ, start_response)


def echo(environ, start_response):
    """Sends each piece of the body back as soon as it has it; ?piece is how much it reads at a time."""
    size = int(query(environ, "piece", 65536))
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    source = environ["wsgi.input"]
    while data := source.read(size):
        yield data


def digest(environ, start_response):
    """The length and the SHA-256 of the body, after all of it was read."""
    sha, length = hashlib.sha256(), 0
    while data := environ["wsgi.input"].read(65536):
        sha.update(data)
        length += len(data)
    return as_json(start_response, {"length": length, "sha": sha.hexdigest()})


def download(environ, start_response):
    """?size bytes in pieces of ?piece, with a Content-Length when ?length is given. The same bytes every time."""
    size, step = int(query(environ, "size")), int(query(environ, "piece", 65536))
    start_response("200 OK", [("Content-Type", "application/octet-stream"), *([("Content-Length", str(size))] if query(environ, "length") else [])])
    block = pattern(step)
    for _ in range(size // step):
        yield block
    if size % step:
        yield block[:size % step]


def pattern(size):
    """Bytes that test_fronts_bodies makes as well."""
    return random.Random(size).randbytes(size)


def whole(environ, start_response):
    """?size bytes as one block, whose length is thereby known."""
    start_response("200 OK", list(TEXT))
    return [pattern(int(query(environ, "size")))]


class Shouts(io.BufferedReader):
    """Lends the descriptor of its file, and reads something else."""

    def read(self, size=-1):
        return super().read(size).upper()


def file(environ, start_response):
    """This very file: as it is, or with ?shout in capitals; with ?send by uwsgi.sendfile()."""
    opened = (Shouts if query(environ, "shout") else io.BufferedReader)(io.FileIO(__file__))
    start_response("200 OK", list(TEXT))
    if not query(environ, "send"):
        return environ["wsgi.file_wrapper"](opened)
    uwsgi.sendfile(opened)
    return []


def body_end(environ, start_response):
    """What the input says at and after its end, and when a body is read in parts."""
    source = environ["wsgi.input"]
    found = [source.read(3), source.read(0), source.readline(), source.readline(2), source.readlines(1), list(source), source.read(), source.read(1), source.readline(), source.readlines(), list(source)]
    return as_json(start_response, [[part.decode() for part in item] if isinstance(item, list) else item.decode() for item in found])


def sends_upload_back_late(environ, start_response):
    """Begins its response before it has read anything, goes on when the test says so."""
    start_response("200 OK", list(TEXT))
    yield b"started "
    checkpoint.reach(query(environ, "note"))
    while data := environ["wsgi.input"].read(65536):
        yield data


def steps_unbuffered(environ, start_response):
    """wsgi_app's steps, with the header that keeps nginx from buffering this response."""
    return wsgi_app.steps(environ, lambda status, headers: start_response(status, [*headers, ("X-Accel-Buffering", "no")]))


# :: Waiting in the middle of a response


def waits(environ, start_response):
    """Five lines with a wait before each, which name the owner as this green thread sees it in several places."""
    owner = query(environ, "owner")
    wait = WAITS[query(environ, "how")]
    OWNER.set(owner)
    start_response("200 OK", [*TEXT, ("X-Owner", owner)])
    for i in range(5):
        yield from wait(f"{query(environ, 'note')}-{i}" if i == 2 else None)
        assert query(environ, "owner") == owner and environ["HTTP_X_OWNER"] == owner
        yield f"{i} {OWNER.get()}\n".encode()


def wait_suspend(point):
    for _ in range(10):
        uwsgi.suspend()
    yield from meet(point)


def wait_sleep(point):
    uwsgi.async_sleep(0.002)
    uwsgi.suspend()
    yield from meet(point)


def wait_yield(point):
    yield uwsgi.async_sleep(0.002)
    yield from meet(point)


def wait_fd(point):
    # The checkpoint waits for its socket by wait_fd_read and suspend.
    yield from meet(point)


def meet(point):
    if point:
        checkpoint.reach(point, core=uwsgi.async_id())
    return ()


WAITS = {"suspend": wait_suspend, "sleep": wait_sleep, "yield": wait_yield, "fd": wait_fd}


def asks_is_connected(environ, start_response):
    """Parked until the client is gone, with what uwsgi.is_connected() says before and after."""
    label = query(environ, "note")
    start_response("200 OK", list(TEXT))

    def chunks():
        try:
            yield b"started"
            note(environ, ["connected", uwsgi.is_connected()])
            checkpoint.connect(label).close()
            uwsgi.async_sleep(60)
            uwsgi.suspend()
            note(environ, ["connected", uwsgi.is_connected()])
            yield b"late"
            note(environ, "sent")
        except GeneratorExit:
            note(environ, "GeneratorExit")
            raise
        finally:
            note(environ, "closed")

    return chunks()


def as_json(start_response, data):
    body = json.dumps(data).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


PAGES = {**wsgi_app.PAGES, **{page.__name__.replace("_", "-"): page for page in (echo, digest, download, whole, file, body_end, sends_upload_back_late, steps_unbuffered, waits, asks_is_connected)}}
