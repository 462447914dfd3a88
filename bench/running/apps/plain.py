"""Pages without a framework, the same for every server; each is a WSGI callable of its own."""

import json

# What bench/limit's Kestrel answers, too.
HELLO = b"Hello, world!"

ROWS = {"items": [{"id": number, "name": f"item {number}", "price": number * 1.25, "tags": ["a", "b"]} for number in range(24)], "padding": ""}
ROWS["padding"] = "x" * (2048 - len(json.dumps(ROWS)))

BIG = b"0123456789abcdef" * 65536

POST_BYTES = 100_000


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "13")])
    return [HELLO]


def json_page(environ, start_response):
    """2 KB, made anew for each request, with ten headers."""
    body = json.dumps(ROWS).encode()
    start_response("200 OK", [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("ETag", '"5d8c72a5edda8d6a"'),
        ("Vary", "Accept, Accept-Encoding"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("X-Request-Id", "0f8fad5b-d9cb-469f-a165-70867728950e"),
        ("Referrer-Policy", "same-origin"),
        ("Set-Cookie", "session=eyJ1c2VyIjo0Mn0.Yk; HttpOnly; Path=/; SameSite=Lax"),
    ])
    return [body]


def big(environ, start_response):
    """1 MiB in one piece."""
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(len(BIG)))])
    return [BIG]


def post(environ, start_response):
    """Reads the whole body, as a form or an API does, and says how long it was."""
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "7")])
    return [b"%06d\n" % len(body)]
