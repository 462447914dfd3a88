"""psycopg2 with its own pool, as it is: no wait callback, unless the one of psycogreen is asked for."""

import os

import psycopg2.pool

from bench.waiting.apps.page import page

if os.environ.get("BENCH_PSYCOGREEN"):
    import psycogreen.gevent

    psycogreen.gevent.patch_psycopg()

N = int(os.environ["BENCH_CONNECTIONS"])
pool = psycopg2.pool.ThreadedConnectionPool(N, N, "")


def wait(seconds):
    connection = pool.getconn()
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", (seconds,))
    finally:
        pool.putconn(connection)


application = page(wait)
