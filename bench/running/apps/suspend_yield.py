"""1,000 times nothing is yielded, which suspends: the one shape that Debian's uWSGI 2.0.21 survives on CPython 3.11, run by it and by UGreen.Py.

There ``uwsgi.suspend()`` without a registration hangs before the callable has returned, and within the generator it loses most of thirty requests; see also bench/databases/with_uwsgi.py.

GET /?N  N times (1,000), then "done"
GET /ns  nanoseconds per round trip by the application's own clock, from the first of the requests that were under way together to the last
"""

import time

active = begun = trips = 0
result = 0.0


def enter():
    global active, begun, trips
    if not active:
        begun, trips = time.perf_counter_ns(), 0
    active += 1


def leave(times):
    global active, trips, result
    trips += times
    active -= 1
    if not active:
        result = (time.perf_counter_ns() - begun) / trips


def body(times):
    enter()
    for _ in range(times):
        yield b""
    leave(times)
    yield b"done\n"


def application(environ, start_response):
    if environ["PATH_INFO"] == "/ns":
        answer = b"%.1f\n" % result
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
        return [answer]
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return body(int(environ["QUERY_STRING"] or 1000))
