"""A wait of 10 ms, on UGreen.Py."""

import uwsgi


def application(environ, start_response):
    uwsgi.async_sleep(0.01)
    uwsgi.suspend()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"done\n"]
