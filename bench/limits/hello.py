"""Served by ``bench/limit`` and ``bench/start``: the response that nginx and Kestrel alone give, from a WSGI application."""

import os

if os.environ.get("BENCH_SAY_IMPORT"):
    print("bench: imported", flush=True)


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "13")])
    return [b"Hello, world!"]
