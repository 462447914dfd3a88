"""1,000 times ``eventlet.sleep(0)``, which lets the others run as ``uwsgi.suspend()`` does; for eventlet's servers."""

import eventlet


def application(environ, start_response):
    for _ in range(1000):
        eventlet.sleep(0)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"done\n"]
