"""Served by gunicorn's gevent worker for ``bench/db``. GET /SECONDS sleeps that long in the database.

psycogreen installs its wait callback; gunicorn has patched the standard library, so psycopg2's pool has locks of gevent's. A greenlet lives as long as a client's connection, so database
connections are in a pool and not in thread-locals.
"""

import os

import psycogreen.gevent
import psycopg2.pool

psycogreen.gevent.patch_psycopg()

N = int(os.environ["BENCH_CONNECTIONS"])
pool = psycopg2.pool.ThreadedConnectionPool(N, N, "")


def application(environ, start_response):
    conn = pool.getconn()
    try:
        conn.autocommit = True
        with conn.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", (float(environ["PATH_INFO"][1:]),))
    finally:
        pool.putconn(conn)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"done\n"]
