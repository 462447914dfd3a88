"""Counting that shares: a busy loop which lets every other request run after each step.

Each request counts to 100,000 and calls ``uwsgi.suspend()`` at every step. With nothing registered to wait for, suspend()
is a pure yield: all other green threads that can run get their turn, then this one goes on. So thirty of these requests
make progress side by side on one CPU, and a small page is answered in between.

Run:  ./ugreen-py -w examples.cpubound_green --async 30 --ugreen
Try:  curl -N http://127.0.0.1:8000/        (-N shows every line as it comes)
      curl -N "http://127.0.0.1:8000/?steps=1000000"
"""

from urllib.parse import parse_qs

import uwsgi

STEPS = 100_000
LINES = 10


def application(environ, start_response):
    try:
        steps = int(parse_qs(environ["QUERY_STRING"]).get("steps", [STEPS])[0])
        if not LINES <= steps <= 100_000_000:
            raise ValueError
    except ValueError:
        start_response("400 Bad Request", [("Content-Type", "text/plain; charset=utf-8")])
        return [f"steps must be a number from {LINES} to 100000000\n".encode()]

    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return count(steps)


def count(steps):
    """Yield a line of progress ten times; everything between is counting and suspending."""
    core = uwsgi.async_id()
    yield f"core {core}: counting to {steps}\n".encode()
    for step in range(1, steps + 1):
        uwsgi.suspend()
        if step % (steps // LINES) == 0:
            yield f"core {core}: {step}\n".encode()
    yield f"core {core}: done\n".encode()
