"""PostgreSQL by psycopg2: a request that waits for the database holds up nobody else.

libpq's own variables say where the database is: PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE.

Run:  PGHOST=/var/run/postgresql PGUSER=postgres PGDATABASE=postgres ./ugreen-py -w examples.psycopg2_green
Try:  for i in $(seq 20); do curl -s "http://127.0.0.1:8000/?n=$i" & done; wait         (all of them after half a second)
"""

import threading
from urllib.parse import parse_qs

import psycopg2
import ugreen

# ugreen: the others run while psycopg2 waits, with or without this; with it a query that takes too long is cancelled at the server. The option --psycopg2 does the same before the
# application is loaded.
ugreen.patch_psycopg()

# ugreen: thread-locals belong to a core, so N cores keep at most N connections, each for one request at a time.
kept = threading.local()


def connection():
    """This core's connection; a new one when there is none yet, or when it is broken."""
    if getattr(kept, "connection", None) is None or kept.connection.closed:
        kept.connection = psycopg2.connect("", connect_timeout=5)
    return kept.connection


def application(environ, start_response):
    n = parse_qs(environ["QUERY_STRING"]).get("n", ["1"])[0]
    try:
        # ugreen: a limit for all waits together. The server is told to cancel what takes longer.
        with ugreen.timeout(10), connection() as conn, conn.cursor() as cursor:
            cursor.execute("SELECT %s::int * 2, pg_backend_pid() FROM pg_sleep(0.5)", (n,))
            twice, pid = cursor.fetchone()
    except psycopg2.DataError as error:
        start_response("400 Bad Request", [("Content-Type", "text/plain; charset=utf-8")])
        return [f"{error}".encode()]
    except (psycopg2.OperationalError, ugreen.Timeout) as error:
        start_response("503 Service Unavailable", [("Content-Type", "text/plain; charset=utf-8"), ("Retry-After", "5")])
        return [f"the database: {error}\n".encode()]

    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    # ugreen: core and connection go together.
    return [f"2 * {n} = {twice}, says connection {pid} of core {environ['uwsgi.core']}\n".encode()]
