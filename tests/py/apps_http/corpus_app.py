"""The application of test_http_corpus.py and test_limits.py: reads the whole body and notes what it saw, also when that failed. GET /seen tells, and forgets."""

import json

seen = []


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
        return iter(lambda: b"x" * 65536, None)
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
