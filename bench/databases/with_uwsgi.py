"""Served by uWSGI with --async N --ugreen for ``bench/db``. GET /SECONDS sleeps that long in the database.

Written so that Debian's uWSGI 2.0.21 survives it. The obvious application, with a wait callback that calls uwsgi.wait_fd_read() and uwsgi.suspend(), is killed by SIGSEGV as soon as some
requests are under way: uWSGI does not keep the interpreter's data stack of its cores apart, so with CPython 3.11 a core that runs Python code writes over the frames of those that are
parked. A generator that yields has no frame there while it waits. So this is one, with connections that psycopg2 calls asynchronous, which the application polls itself. Threads stay off:
with them suspend() keeps the GIL and the worker stands still. The cores share thread-locals, so connections are kept by the core's number.
"""

import os

import psycopg2
import psycopg2.extras
import uwsgi
from psycopg2 import extensions

kept = [psycopg2.connect("", async_=1) for _ in range(int(os.environ["BENCH_CONNECTIONS"]))]
for conn in kept:
    psycopg2.extras.wait_select(conn)


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    conn = kept[environ["uwsgi.core"]]
    cursor = conn.cursor()
    cursor.execute("SELECT pg_sleep(%s)", (float(environ["PATH_INFO"][1:]),))
    while True:
        state = conn.poll()
        if state == extensions.POLL_OK:
            break
        yield uwsgi.wait_fd_read(conn.fileno()) if state == extensions.POLL_READ else uwsgi.wait_fd_write(conn.fileno())
    cursor.close()
    yield b"done\n"
