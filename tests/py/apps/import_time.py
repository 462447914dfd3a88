"""Makes hub calls while it is imported: the hub exists by then, but no green thread does, so waits are plain blocking ones on the main stack."""

import json
import os
import time

import uwsgi


def _raised(function, *args):
    try:
        return f"returned {function(*args)!r}"
    except Exception as error:
        return type(error).__name__


def _timed(seconds):
    start = time.monotonic()
    uwsgi.async_sleep(seconds)
    uwsgi.suspend()
    return time.monotonic() - start >= seconds


r, w = os.pipe()
seen = {"async_id": uwsgi.async_id(), "suspend": uwsgi.suspend(), "sleep": _timed(0.05), "log": uwsgi.log("logged at import time")}
uwsgi.wait_fd_read(r, 0.05)
uwsgi.suspend()
seen["timeout"] = uwsgi.ready_fd()
os.write(w, b"x")
uwsgi.wait_fd_read(r)
uwsgi.suspend()
seen["ready"] = uwsgi.ready_fd() == r
seen["request_id"] = _raised(uwsgi.request_id)
seen["start_response"] = _raised(uwsgi.start_response, "200 OK", [])
seen["connection_fd"] = _raised(uwsgi.connection_fd)
seen["bad fd"] = _raised(uwsgi.wait_fd_read, -1)
seen["bad type"] = _raised(uwsgi.wait_fd_read, "x")

# Registered and never waited for: must not end up in the first request's wait.
uwsgi.async_sleep(3600)


def application(environ, start_response):
    uwsgi.suspend()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(seen).encode()]
