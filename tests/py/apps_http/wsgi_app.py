"""The application of test_wsgi_*.py: the path names a function below, which is a WSGI application itself."""

import json
import sys
import warnings
from urllib.parse import parse_qsl
from wsgiref.validate import WSGIWarning, validator

import checkpoint

# What wsgiref.validate only warns about would be lost in the log.
warnings.simplefilter("error", WSGIWarning)

TEXT = [("Content-Type", "text/plain")]

#: Label -> what happened to the request with that label, in order.
notes = {}


def application(environ, start_response):
    return PAGES[environ["PATH_INFO"].strip("/")](environ, start_response)


def query(environ, name, default=None):
    return dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)).get(name, default)


def note(environ, what):
    notes.setdefault(query(environ, "note"), []).append(what)


class Body:
    """An iterable of its own kind, with a close() that tells."""

    def __init__(self, environ, chunks, error=None, close_error=None):
        self.environ, self.chunks, self.error, self.close_error = environ, iter(chunks), error, close_error

    def __iter__(self):
        return self

    def __next__(self):
        for chunk in self.chunks:
            return chunk
        if self.error:
            raise self.error
        raise StopIteration

    def close(self):
        note(self.environ, "close")
        if self.close_error:
            raise self.close_error


# :: Shapes of applications and bodies


def as_list(environ, start_response):
    start_response("200 OK", list(TEXT))
    return [b"one ", b"two ", b"three"]


def as_tuple(environ, start_response):
    start_response("200 OK", list(TEXT))
    return (b"one ", b"two ", b"three")


def as_generator(environ, start_response):
    """start_response is called when the first piece is asked for, which PEP 3333 allows."""
    start_response("200 OK", list(TEXT))
    yield b"one "
    yield b"two "
    yield b"three"


def as_custom(environ, start_response):
    start_response("200 OK", list(TEXT))
    return Body(environ, [b"one ", b"two ", b"three"])


def as_set(environ, start_response):
    start_response("200 OK", list(TEXT))
    return {b"one two three"}


def as_bytes(environ, start_response):
    start_response("200 OK", list(TEXT))
    return b"one two three"


def as_getitem(environ, start_response):
    """The old iteration protocol."""

    class Sequence:
        def __getitem__(self, index):
            return [b"one ", b"two ", b"three"][index]

    start_response("200 OK", list(TEXT))
    return Sequence()


class AsClass:
    def __init__(self, environ, start_response):
        self.start_response = start_response

    def __iter__(self):
        self.start_response("200 OK", list(TEXT))
        yield b"one two three"


def as_file(environ, start_response):
    class File:
        pieces = [b"one ", b"two ", b"three"]

        def read(self, size):
            note(environ, size)
            return self.pieces.pop(0) if self.pieces else b""

        def close(self):
            note(environ, "close")

    File.pieces = list(File.pieces)
    start_response("200 OK", list(TEXT))
    return environ["wsgi.file_wrapper"](File(), 10)


def with_empty_chunks(environ, start_response):
    start_response("200 OK", list(TEXT))
    return Body(environ, [b"", b"one ", b"", b"", b"two ", b"three", b""])


def only_empty_chunks(environ, start_response):
    start_response("200 OK", list(TEXT))
    return Body(environ, [b"", b"", b""])


def no_chunks(environ, start_response):
    start_response("200 OK", list(TEXT))
    return Body(environ, [])


def keywords(environ, start_response):
    start_response(status="200 OK", headers=list(TEXT), exc_info=None)
    return [b"one two three"]


# :: Streaming


def steps(environ, start_response):
    """Each chunk is made only when the test lets it; ?how=write uses write() instead of yielding."""
    write = start_response("200 OK", list(TEXT) + ([("Content-Length", "18")] if query(environ, "length") else []))

    def pieces():
        yield b"step 0"
        for i in (1, 2):
            note(environ, checkpoint.reach(query(environ, "note"), step=i))
            yield b"step %d" % i

    if query(environ, "how") == "yield":
        return Body(environ, pieces())
    for piece in pieces():
        write(piece)
    return []


def write_only(environ, start_response):
    write = start_response("200 OK", list(TEXT))
    assert [write(b"one "), write(b"two "), write(b""), write(b"three")] == [None] * 4
    return []


def write_then_iterate(environ, start_response):
    write = start_response("200 OK", list(TEXT))
    write(b"one ")
    write(b"two ")
    return Body(environ, [b"th", b"ree"])


def write_then_list(environ, start_response):
    start_response("200 OK", list(TEXT))(b"one two ")
    return [b"three"]


def write_with_length(environ, start_response):
    write = start_response("200 OK", [*TEXT, ("Content-Length", "13")])
    write(b"one two ")
    return [b"three"]


def write_str(environ, start_response):
    write = start_response("200 OK", list(TEXT))
    write("text")
    return []


def endless(environ, start_response):
    """Until the client is gone; notes how write or yield ended."""
    write = start_response("200 OK", list(TEXT))

    def chunks():
        try:
            while True:
                yield b"x" * 10000
        except GeneratorExit:
            note(environ, "GeneratorExit")
            raise
        finally:
            note(environ, "finally")

    if query(environ, "how") == "yield":
        return chunks()
    if query(environ, "how") == "custom":
        return Body(environ, iter(lambda: b"x" * 10000, b""))
    try:
        while True:
            write(b"x" * 10000)
    except OSError as error:
        note(environ, ["OSError", str(error)])
        raise


def parked(environ, start_response):
    """The client leaves while this is parked in suspend(); then it tries to send."""
    import uwsgi

    write = start_response("200 OK", list(TEXT))
    if query(environ, "started"):
        write(b"started")
    checkpoint.connect(query(environ, "note")).close()
    while uwsgi.is_connected():
        uwsgi.async_sleep(60)
        uwsgi.suspend()
    note(environ, "gone")
    try:
        write(b"late")
    except OSError as error:
        note(environ, ["OSError", str(error)])
        raise
    finally:
        note(environ, "finally")


# :: Errors


class OwnError(Exception):
    pass


def raises(environ, start_response):
    """?when: before | after (start_response) | first (piece) | middle; ?what: the exception; ?length: declare one."""
    when = query(environ, "when")
    error = ERRORS[query(environ, "what", "OwnError")]()
    if when == "before":
        raise error
    start_response("200 OK", [*TEXT, ("X-Gone", "1")] + ([("Content-Length", "1000")] if query(environ, "length") else []))
    if when == "after":
        raise error
    return Body(environ, [] if when == "first" else [b"the first ", b"half"], error)


def raises_after_write(environ, start_response):
    write = start_response("200 OK", list(TEXT))
    write(b"the first half")
    raise OwnError("after write")


def raises_in_generator(environ, start_response):
    start_response("200 OK", list(TEXT))
    yield b"the first "
    yield b"half"
    raise OwnError("in the generator")


def raises_in_iter(environ, start_response):
    class NoIterator:
        def __iter__(self):
            raise OwnError("in __iter__")

        def close(self):
            note(environ, "close")

    start_response("200 OK", list(TEXT))
    return NoIterator()


def raises_in_close(environ, start_response):
    start_response("200 OK", list(TEXT))
    return Body(environ, [b"one two three"], close_error=OwnError("in close"))


def raises_twice(environ, start_response):
    start_response("200 OK", list(TEXT))
    return Body(environ, [b"half"], OwnError("the first error"), OwnError("the second error"))


def chained(environ, start_response):
    try:
        {}["the cause"]
    except KeyError as cause:
        raise OwnError("the consequence\nsecond line \x1b[31m of the message") from cause


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


ERRORS = {
    "OwnError": lambda: OwnError("of our own"), "SystemExit": lambda: SystemExit(3), "KeyboardInterrupt": KeyboardInterrupt, "GeneratorExit": GeneratorExit,
    "StopIteration": StopIteration, "MemoryError": MemoryError, "OSError": lambda: OSError(5, "of the application"), "BaseException": lambda: BaseException("base"),
    "Unprintable": Unprintable, "RecursionError": RecursionError,
}


def exits(environ, start_response):
    sys.exit(query(environ, "code") or 0)


def returns_none(environ, start_response):
    start_response("200 OK", list(TEXT))


def returns_number(environ, start_response):
    start_response("200 OK", list(TEXT))
    return 42


def returns_str(environ, start_response):
    start_response("200 OK", list(TEXT))
    return "text"


def returns_str_list(environ, start_response):
    start_response("200 OK", list(TEXT))
    return ["text"]


def returns_str_list_of_two(environ, start_response):
    start_response("200 OK", list(TEXT))
    return ["text", "text"]


def returns_str_later(environ, start_response):
    start_response("200 OK", list(TEXT))
    yield b"bytes"
    yield "text"


def returns_bytearray(environ, start_response):
    start_response("200 OK", list(TEXT))
    return [bytearray(b"one")]


def no_start(environ, start_response):
    return [b"body"]


def no_start_empty(environ, start_response):
    return []


def no_start_generator(environ, start_response):
    yield b"body"


def length(environ, start_response):
    """?length declared, ?body given, ?how."""
    body = query(environ, "body", "").encode()
    write = start_response("200 OK", [*TEXT, ("Content-Length", query(environ, "length"))])
    match query(environ, "how"):
        case "list":
            return [body]
        case "generator":
            return (body[i:i + 1] for i in range(len(body)))
        case "write":
            write(body)
            return []


# :: start_response


def twice(environ, start_response):
    start_response("200 OK", list(TEXT))
    start_response("201 Created", list(TEXT))
    return [b"body"]


def twice_caught(environ, start_response):
    start_response("200 OK", list(TEXT))
    try:
        start_response("201 Created", list(TEXT))
    except Exception as error:
        note(environ, type(error).__name__)
    return [b"body"]


def replaced(environ, start_response):
    """exc_info before anything was sent: the new status and headers take the place of the old."""
    start_response("200 OK", [*TEXT, ("X-Old", "1"), ("Content-Length", "1000")])
    try:
        raise OwnError("handled")
    except OwnError:
        start_response("503 Sorry", [("Content-Type", "text/html"), ("X-New", "1")], sys.exc_info())
    return [b"the error page"]


def replaced_in_generator(environ, start_response):
    start_response("200 OK", list(TEXT))
    yield b""
    try:
        raise OwnError("handled")
    except OwnError:
        start_response("503 Sorry", list(TEXT), sys.exc_info())
    yield b"the error page"


def replaced_first(environ, start_response):
    """exc_info in the first call."""
    try:
        raise OwnError("handled")
    except OwnError:
        start_response("503 Sorry", list(TEXT), sys.exc_info())
    return [b"the error page"]


def replaced_too_late(environ, start_response):
    start_response("200 OK", list(TEXT))(b"already sent")
    try:
        raise OwnError("the original")
    except OwnError as original:
        try:
            start_response("503 Sorry", list(TEXT), sys.exc_info())
        except OwnError as raised:
            note(environ, raised is original)
            raise
    return [b"never"]


def again_too_late(environ, start_response):
    start_response("200 OK", list(TEXT))(b"already sent")
    try:
        start_response("503 Sorry", list(TEXT))
    except Exception as error:
        note(environ, type(error).__name__)
        raise
    return [b"never"]


def start(environ, start_response):
    """Call start_response with what the test posted (Python literals); the exception, if any, is noted and not raised."""
    import ast

    arguments = ast.literal_eval(environ["wsgi.input"].read().decode())
    try:
        start_response(*arguments)
    except Exception as error:
        note(environ, [type(error).__name__, str(error)])
        raise
    return [b"body"]


def recovers(environ, start_response):
    """After a refused head the application may give another one."""
    try:
        start_response("200 OK", [("X-Bad", "a\r\nb")])
    except ValueError:
        start_response("500 Own Page", list(TEXT))
    return [b"recovered"]


# :: Environ


def environ_types(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({
        "type": type(environ).__name__,
        "types": {key: type(value).__name__ for key, value in environ.items()},
        "values": {key: repr(value) for key, value in environ.items()},
        "input": environ["wsgi.input"].read().decode("latin-1"),
        "has": [hasattr(environ["wsgi.input"], name) for name in ("read", "readline", "readlines", "__iter__")],
        "errors": [hasattr(environ["wsgi.errors"], name) for name in ("write", "writelines", "flush")],
    }).encode()]


def pollutes(environ, start_response):
    """Leave things in the environ, close the body; later requests must not notice."""
    seen = "own.key" in environ or environ["wsgi.url_scheme"] != "http"
    environ["own.key"] = 1
    environ["wsgi.url_scheme"] = "polluted"
    environ["wsgi.input"].close()
    del environ["wsgi.errors"]
    environ.pop("wsgi.version")
    start_response("200 OK", list(TEXT))
    return [b"polluted" if seen else b"clean"]


def errors_stream(environ, start_response):
    environ["wsgi.errors"].write("to wsgi.errors żółw\n")
    environ["wsgi.errors"].writelines(["line a\n", "line b\n"])
    environ["wsgi.errors"].flush()
    print("printed żółw")
    print("printed to stderr", file=sys.stderr)
    start_response("200 OK", list(TEXT))
    return [b"ok"]


def noted(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(notes.get(query(environ, "note"), [])).encode()]


# :: wsgiref.validate


def validated(app):
    return validator(lambda environ, start_response: app(environ, start_response))


def reads_and_writes(environ, start_response):
    body = environ["wsgi.input"].read(1000) + environ["wsgi.input"].readline() + b"".join(environ["wsgi.input"])
    environ["wsgi.errors"].write("validated\n")
    environ["wsgi.errors"].flush()
    write = start_response("200 OK", [*TEXT, ("X-A", "1")])
    write(b"written ")
    return [b"read ", body]


def validated_204(environ, start_response):
    start_response("204 No Content", [])
    return [b""]


def validated_error(environ, start_response):
    start_response("200 OK", list(TEXT))
    try:
        raise OwnError("handled")
    except OwnError:
        start_response("500 Oops", list(TEXT), sys.exc_info())
    return [b"error page"]


PAGES = {name.replace("_", "-"): value for name, value in list(globals().items()) if callable(value) and name[0].islower()}
PAGES["as-class"] = AsClass
for _name in ("as_list", "as_generator", "as_custom", "with_empty_chunks", "write_then_iterate", "reads_and_writes", "validated_204", "validated_error"):
    PAGES["validated/" + _name.replace("_", "-")] = validated(globals()[_name])
