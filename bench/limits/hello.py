"""Served by ``bench/limit`` and ``bench/start``: the response that nginx and Kestrel alone give, from a WSGI application."""


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "13")])
    return [b"Hello, world!"]
