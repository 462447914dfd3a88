"""An application that brings its own wait callback for psycopg2, in psycogreen's pattern and with uWSGI's functions. It runs as it is; nothing is patched.

The callback is what psycogreen installs for gevent and eventlet, here for a server with the ``uwsgi`` module. New applications let ``ugreen.patch_psycopg()`` do it, which also
knows connect_timeout, time limits and COPY: see psycopg2_green.py.

Run:  PGHOST=/var/run/postgresql PGUSER=postgres PGDATABASE=postgres ./ugreen-py -w examples.psycogreen_green
Try:  curl -N http://127.0.0.1:8000/                (a row each fifth of a second)
"""

import psycopg2
import uwsgi
from psycopg2 import extensions


def wait_callback(conn, timeout=None):
    """Called by psycopg2 whenever it would block."""
    while True:
        state = conn.poll()
        if state == extensions.POLL_OK:
            return
        if state == extensions.POLL_READ:
            uwsgi.wait_fd_read(conn.fileno())       # ugreen: registers only …
        elif state == extensions.POLL_WRITE:
            uwsgi.wait_fd_write(conn.fileno())
        else:
            raise psycopg2.OperationalError(f"unexpected state of the connection: {state!r}")
        uwsgi.suspend()                             # ugreen: … here the others run until the socket is ready


extensions.set_wait_callback(wait_callback)


def application(environ, start_response):
    conn = psycopg2.connect("")
    try:
        with conn, conn.cursor("rows") as cursor:
            cursor.itersize = 1                     # one row at a time from the server
            cursor.execute("SELECT n, pg_sleep(0.2) FROM generate_series(1, 5) AS n")
            start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
            for n, _ in cursor:
                yield f"row {n}\n".encode()
    finally:
        conn.close()
