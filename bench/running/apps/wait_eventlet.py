"""A wait of 10 ms, with eventlet."""

import eventlet


def application(environ, start_response):
    eventlet.sleep(0.01)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"done\n"]
