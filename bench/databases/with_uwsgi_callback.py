"""What an application for uWSGI with --async N --ugreen would look like, with a wait callback for psycopg2; for ``bench/db``. Debian's uWSGI 2.0.21 does not survive it: see with_uwsgi.py."""

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
