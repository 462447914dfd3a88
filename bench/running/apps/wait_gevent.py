"""A wait of 10 ms, with gevent."""

import gevent


def application(environ, start_response):
    gevent.sleep(0.01)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"done\n"]
