"""1,000 times ``gevent.sleep(0)``, which lets the others run as ``uwsgi.suspend()`` does; for gevent's servers."""

import gevent


def application(environ, start_response):
    for _ in range(1000):
        gevent.sleep(0)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"done\n"]
