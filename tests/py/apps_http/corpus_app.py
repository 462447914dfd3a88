"""The application of test_http_corpus.py and test_limits.py: reads the whole body and notes what it saw, also when that failed. GET /seen tells, and forgets. GET /count and /running tell of endless answers."""

import json

seen = []
#: How many endless answers were begun, and are under way.
running = [0, 0]


def endless():
    running[0] += 1
    running[1] += 1
    try:
        while True:
            yield b"x" * 65536
    finally:
        running[1] -= 1


def application(environ, start_response):
    name = f"{environ['REQUEST_METHOD']} {environ['REQUEST_URI']}"
    if name == "GET /seen":
        body = json.dumps(seen).encode()
        seen.clear()
    elif environ["REQUEST_URI"] == "/ignore":
        seen.append(name)
        body = b"ignored"
    elif environ["REQUEST_URI"] == "/endless":
        seen.append(name)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return endless()
    elif name in ("GET /count", "GET /running"):
        body = json.dumps(running[name == "GET /running"]).encode()
    elif environ["REQUEST_URI"] == "/caught":
        try:
            body = environ["wsgi.input"].read()
        except OSError as error:
            seen.append(f"{name} {type(error).__name__} {error.errno}")
            body = str(error).encode()
        else:
            seen.append(f"{name} {len(body)}")
    else:
        try:
            body = environ["wsgi.input"].read()
        except BaseException as error:
            seen.append(f"{name} {type(error).__name__}")
            raise
        seen.append(f"{name} {len(body)}")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body]
