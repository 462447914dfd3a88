"""Answers at once: asked again and again, it shows whether the worker is held up."""


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"quick"]
