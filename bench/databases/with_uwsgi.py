"""Served by uWSGI with --async N --ugreen for ``bench/db``. GET /SECONDS sleeps that long in the database.

uWSGI has no hook for psycopg2, so the application brings one. Its cores share thread-locals, so connections are kept by the core's number. Threads stay off: with them uWSGI's
suspend() keeps the GIL and the worker stands still.
"""

import psycopg2
import uwsgi
from psycopg2 import extensions


def wait_callback(conn, timeout=None):
    while True:
        state = conn.poll()
        if state == extensions.POLL_OK:
            return
        if state == extensions.POLL_READ:
            uwsgi.wait_fd_read(conn.fileno())
        else:
            uwsgi.wait_fd_write(conn.fileno())
        uwsgi.suspend()


extensions.set_wait_callback(wait_callback)
kept = {}


def connection(core):
    if core not in kept:
        kept[core] = psycopg2.connect("")
        kept[core].autocommit = True
    return kept[core]


def application(environ, start_response):
    with connection(environ["uwsgi.core"]).cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", (float(environ["PATH_INFO"][1:]),))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"done\n"]
