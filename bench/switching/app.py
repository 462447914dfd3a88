"""Served by ``bench/switch``: measures ``uwsgi.suspend()`` round trips from inside the server.

GET /switch?cores=N&frames=F&trips=T   nanoseconds per round trip with N green threads that each hold F Python frames
GET /memory?cores=N                    bytes of resident memory per parked green thread, N of them
"""

import json
import os
import time
from urllib.parse import parse_qs

import _ugreen
import uwsgi


def application(environ, start_response):
    query = {key: int(values[0]) for key, values in parse_qs(environ["QUERY_STRING"]).items()}
    measure = {"/switch": switch, "/memory": memory}[environ["PATH_INFO"]]
    body = json.dumps(measure(**query)).encode()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body]


def switch(cores, frames, trips):
    """Every green thread makes the same number of round trips; this request is one of them."""
    each = max(1, trips // cores)
    finished = 0

    def loop():
        suspend = uwsgi.suspend
        for _ in range(each):
            suspend()

    def deep(left):
        if left:
            deep(left - 1)
        else:
            loop()

    def work():
        nonlocal finished
        deep(frames)
        finished += 1

    for _ in range(cores - 1):
        _ugreen.spawn(work)
    # One turn for all: every green thread has made its frames and is inside its loop when the clock starts.
    uwsgi.suspend()
    start = time.perf_counter_ns()
    work()
    while finished < cores:
        uwsgi.suspend()
    return (time.perf_counter_ns() - start) / (each * cores)


def memory(cores):
    """Park the green threads on a pipe, look at the process's resident memory, let them go."""
    read_end, write_end = os.pipe()
    finished = 0

    def wait():
        nonlocal finished
        uwsgi.wait_fd_read(read_end)
        uwsgi.suspend()
        finished += 1

    before = uwsgi.mem()[0]
    for _ in range(cores):
        _ugreen.spawn(wait)
    uwsgi.suspend()
    per_green = (uwsgi.mem()[0] - before) / cores
    os.write(write_end, b"x")
    while finished < cores:
        uwsgi.suspend()
    os.close(read_end)
    os.close(write_end)
    return per_green
