"""The application of test_api_fronts.py: uwsgi.send(data) and the pauses of uWSGI's first chat, whose programs looked like listen() and say()."""

import json
from urllib.parse import parse_qsl

import checkpoint
import ugreen
import uwsgi

TEXT = [("Content-Type", "text/plain")]

# label: what happened to the requests of that label, in order.
notes = {}


def application(environ, start_response):
    asked = dict(parse_qsl(environ["QUERY_STRING"]))
    return PAGES[environ["PATH_INFO"].strip("/")](environ, start_response, asked)


def listen(environ, start_response, asked):
    """Joins: a greeting, then whatever the others say, until they stop. As in the original's chat, all that is said is written by those who say it."""
    start_response("200 OK", TEXT)
    if "greeting" in asked:
        yield asked["greeting"].encode()
    yield from pause(asked)


def pause(asked):
    note(asked, "pauses")
    try:
        with ugreen.timeout(float(asked["limit"]) if "limit" in asked else None):
            ended = uwsgi.green_pause(float(asked.get("timeout", 0)))
    except ugreen.Timeout:
        ended = "Timeout"
    note(asked, ended)
    try:
        yield b"bye"
    except GeneratorExit:
        note(asked, "closed")
        raise


def listen_sized(environ, start_response, asked):
    """The same with a length that leaves room for ten bytes of the others'."""
    start_response("200 OK", [*TEXT, ("Content-Length", "13")])
    yield from pause(asked)
    note(asked, [uwsgi.green_pause(0.01), "again"])


def bodyless(environ, start_response, asked):
    start_response(asked.get("status", "200 OK"), TEXT)
    note(asked, "pauses")
    note(asked, uwsgi.green_pause(0))
    return [b"dropped"] if environ["REQUEST_METHOD"] == "HEAD" else []


def news(environ, start_response, asked):
    """Waits before it has a head; what is written to all is not for it."""
    note(asked, "pauses")
    note(asked, uwsgi.green_pause(0))
    start_response("200 OK", TEXT)
    return [b"news"]


def say(environ, start_response, asked):
    """To all that are paused: ?text, or ?size bytes. Once, whatever becomes of it."""
    data = bytes(int(asked["size"])) if "size" in asked else asked["text"]
    return as_json(start_response, uwsgi.green_write_all(data))


def stop(environ, start_response, asked):
    return as_json(start_response, uwsgi.green_unpause_all())


def noted(environ, start_response, asked):
    return as_json(start_response, notes.get(asked["note"], []))


def sends(environ, start_response, asked):
    """uwsgi.send() in three pieces, between which the test decides."""
    start_response("200 OK", [*TEXT, *([("Content-Length", "9")] if "length" in asked else [])])
    for piece in (b"one", b"two", b"six"):
        note(asked, uwsgi.send(piece))
        if piece != b"six":
            checkpoint.reach(asked["note"])
    return []


def sends_wrongly(environ, start_response, asked):
    """What is refused leaves the response as it was."""
    found = []

    def attempt(data):
        try:
            found.append(uwsgi.send(data))
        except Exception as error:
            found.append([type(error).__name__, str(error)])

    attempt(b"too early")
    start_response("200 OK", [*TEXT, ("Content-Length", "4")])
    for data in ("text", None, 5, [b"x"], b"12345", b""):
        attempt(data)
    found.append(uwsgi.send(memoryview(b"1234")))
    attempt(b"5")
    notes[asked["note"]] = found
    return []


def connected(environ, start_response, asked):
    """The way in which programs for uWSGI ask about the client, and ours."""
    return as_json(start_response, [uwsgi.is_connected(uwsgi.connection_fd()), uwsgi.is_connected()])


def endless(environ, start_response, asked):
    """Sends until it hears that nobody is there."""
    start_response("200 OK", TEXT)
    while (sent := uwsgi.send(bytes(50_000))) is True:
        pass
    note(asked, sent)
    note(asked, [uwsgi.send(b"more"), uwsgi.green_pause(60)])
    return []


def note(asked, what):
    notes.setdefault(asked["note"], []).append(what)


def as_json(start_response, value):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(value).encode()]


PAGES = {page.__name__.replace("_", "-"): page for page in (listen, listen_sized, bodyless, news, say, stop, noted, sends, sends_wrongly, connected, endless)}
