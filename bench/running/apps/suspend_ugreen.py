"""1,000 times ``uwsgi.suspend()`` in the middle of a function, on UGreen.Py."""

import uwsgi


def application(environ, start_response):
    for _ in range(1000):
        uwsgi.suspend()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"done\n"]
