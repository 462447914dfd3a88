"""The application of test_http_*.py: the first part of the path says what to do."""

import hashlib
import json
from urllib.parse import parse_qsl

import checkpoint

#: What requests have noted about themselves, for a later request to read: label -> list.
notes = {}


def application(environ, start_response):
    query = dict(parse_qsl(environ["QUERY_STRING"]))
    return PAGES.get(environ["PATH_INFO"].partition("/")[2].partition("/")[0], environ_page)(environ, start_response, query)


def as_json(start_response, data, status="200 OK"):
    body = json.dumps(data).encode()
    start_response(status, [("Content-Type", "application/json")])
    return [body]


def environ_page(environ, start_response, query):
    return as_json(start_response, {key: value for key, value in environ.items() if isinstance(value, (str, int))})


def small(environ, start_response, query):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"small " + query.get("n", "").encode()]


def digest(environ, start_response, query):
    """Read the body, all at once or in pieces of ?size bytes."""
    source, sha, sizes = environ["wsgi.input"], hashlib.sha256(), []
    read = (lambda: source.read(int(query["size"]))) if "size" in query else source.read
    while True:
        piece = read()
        if not piece:
            break
        sha.update(piece)
        sizes.append(len(piece))
        notes.setdefault(query.get("note", ""), []).append(len(piece))
    return as_json(start_response, {
        "sha": sha.hexdigest(), "length": sum(sizes), "sizes": sizes,
        "CONTENT_LENGTH": environ.get("CONTENT_LENGTH"), "terminated": environ.get("wsgi.input_terminated"),
    })


def lines(environ, start_response, query):
    source = environ["wsgi.input"]
    how = query["how"]
    if how == "readline":
        found = list(iter(source.readline, b""))
    elif how == "limited":
        found = list(iter(lambda: source.readline(4), b""))
    elif how == "readlines":
        found = source.readlines()
    elif how == "hint":
        found = [source.readlines(1), source.readlines()]
        found = found[0] + found[1]
    elif how == "mixed":
        found = [source.read(3), source.readline(), source.read(0), source.read(-1), source.read(-1), source.read(5)]
    else:
        found = list(source)
    return as_json(start_response, [line.decode("latin-1") for line in found])


def ignore(environ, start_response, query):
    return small(environ, start_response, query)


def half(environ, start_response, query):
    """Read one byte of the body only."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["wsgi.input"].read(1)]


def status(environ, start_response, query):
    """?code=204 with ?body=..., as a list or (?how=generator) one byte after the other; ?length declares one."""
    body = query.get("body", "").encode()
    headers = [("Content-Type", "text/plain")]
    if "length" in query:
        headers.append(("Content-Length", query["length"]))
    start_response(query.get("code", "200") + " Whatever", headers)
    return (body[i:i + 1] for i in range(len(body))) if query.get("how") == "generator" else [body]


def echo_headers(environ, start_response, query):
    """Send the value of X-Echo back, and some headers twice."""
    start_response("200 OK", [("X-Echo", environ.get("HTTP_X_ECHO", "")), ("X-Also", "one"), ("Set-Cookie", "a=1"), ("X-Also", "two"), ("Set-Cookie", "b=2, c")])
    return [repr(environ.get("HTTP_X_ECHO")).encode()]


def big(environ, start_response, query):
    """?blocks of 64 KiB, all different; counts what was taken from it."""
    seen = notes.setdefault(query["note"], [])
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    for i in range(int(query["blocks"])):
        seen.append(i)
        yield i.to_bytes(4, "big") * 16384


def park(environ, start_response, query):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [checkpoint.reach(query["point"], core=environ["uwsgi.core"]).encode()]


def reader(environ, start_response, query):
    """Read the body and note how that ended. Tells the test that it begins, without waiting for an answer."""
    seen = notes.setdefault(query["note"], [])
    checkpoint.connect(query["note"]).close()
    try:
        data = environ["wsgi.input"].read()
    except BaseException as error:
        seen.append([type(error).__name__, isinstance(error, OSError), str(error)])
        raise
    seen.append(["complete", False, str(len(data))])
    return small(environ, start_response, query)


def noted(environ, start_response, query):
    return as_json(start_response, notes.get(query["note"], []))


def noted_length(environ, start_response, query):
    return as_json(start_response, len(notes.get(query["note"], [])))


PAGES = {
    "environ": environ_page, "small": small, "digest": digest, "lines": lines, "ignore": ignore, "half": half, "status": status, "echo": echo_headers, "big": big,
    "park": park, "reader": reader, "noted": noted, "noted-length": noted_length,
}
