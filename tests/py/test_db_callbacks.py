"""Wait callbacks that applications bring themselves, in psycogreen's pattern and with the functions of ``uwsgi``: nothing of the server's is installed, and all runs."""

import json
import textwrap
import time

import pytest

from serving import PATIENCE, Server, background, many, until

CALLBACK = """
import os, psycopg2, ugreen
from psycopg2 import extensions
shared.polls = 0
def wait_callback(conn, timeout=None):
    while True:
        shared.polls += 1
        state = conn.poll()
        if state == extensions.POLL_OK:
            return
        (uwsgi.wait_fd_read if state == extensions.POLL_READ else uwsgi.wait_fd_write)(conn.fileno())
        uwsgi.suspend()
"""


@pytest.fixture
def server(database):
    with Server("run_code", cores=50, env={"DSN": database.dsn}) as s:
        s.run(CALLBACK + "extensions.set_wait_callback(wait_callback)")
        yield s


def run(server, code, **values):
    return server.run("import os, psycopg2, ugreen\nfrom psycopg2 import extensions\nconn = psycopg2.connect(os.environ['DSN'])\ncur = conn.cursor()\n" + textwrap.dedent(code), **values)


def test_fifty_requests_wait_side_by_side(server):
    start = time.monotonic()
    assert many(50, lambda i: run(server, "cur.execute('select pg_sleep(0.3), %s', (number,))\nreturn cur.fetchone()[1], type(conn).__module__", number=i)) == [[i, "psycopg2.extensions"] for i in range(50)]
    assert time.monotonic() - start < 15


def test_a_client_that_leaves_ends_nothing_and_makes_no_busy_loop(server, database):
    """suspend() returns when the client leaves; the callback asks the connection again, and waits on."""
    code = "import os, psycopg2\nconn = psycopg2.connect(os.environ['DSN'])\nconn.cursor().execute('select pg_sleep(2.4)')\nshared.closed = conn.closed"
    body = json.dumps({"code": code, "values": {}}).encode()
    with server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        until(lambda: database.running("pg_sleep(2.4)"), "the query runs")
    until(lambda: server.run("return hasattr(shared, 'closed')"), "the query ended")
    closed, polls = server.run("return shared.closed, shared.polls")
    assert closed == 0 and polls < 40


def test_what_the_callback_raises_reaches_the_application(server):
    assert run(server, """
        seen = []
        def broken(conn):
            conn.poll()
            raise ZeroDivisionError("in the callback")
        def attempt(callback, action):
            previous = extensions.get_wait_callback()
            extensions.set_wait_callback(callback)
            try:
                action()
            except Exception as error:
                seen.append(type(error).__name__)
            finally:
                extensions.set_wait_callback(previous)
        attempt(broken, lambda: cur.execute("select 1"))
        closed = bool(conn.closed)
        attempt(broken, lambda: psycopg2.connect(os.environ["DSN"]))
        other = psycopg2.connect(os.environ["DSN"])
        other.cursor().execute("select 1")
        attempt(broken, other.commit)
        def limited(conn):
            while (state := conn.poll()) != extensions.POLL_OK:
                (uwsgi.wait_fd_read if state == extensions.POLL_READ else uwsgi.wait_fd_write)(conn.fileno(), 0.1)
                uwsgi.suspend()
                if uwsgi.ready_fd() < 0: raise TimeoutError
        third = psycopg2.connect(os.environ["DSN"])
        attempt(limited, lambda: third.cursor().execute("select pg_sleep(20)"))
        block = ugreen.timeout(0.1)
        def with_limit():
            with block:
                psycopg2.connect(os.environ["DSN"]).cursor().execute("select pg_sleep(20)")
        attempt(extensions.get_wait_callback(), with_limit)
        return seen, closed
        """) == [["ZeroDivisionError", "ZeroDivisionError", "ZeroDivisionError", "TimeoutError", "Timeout"], True]


def test_sqlalchemy_needs_its_locks_replaced(server, database):
    """patch_sqlalchemy() alone, for an application with a callback of its own: pool exhaustion, and the first connections of an engine at the same time."""
    server.run("""
        import ugreen
        ugreen.patch_sqlalchemy()
        import sqlalchemy, sqlalchemy.pool.impl, threading
        shared.engine = sqlalchemy.create_engine(url, pool_size=3, max_overflow=0)
        assert sqlalchemy.pool.impl.threading.Lock is ugreen.Lock and sqlalchemy.pool.impl.threading.local is threading.local and threading.Lock is not ugreen.Lock
    """, url=database.url)
    assert many(20, lambda i: server.run("""
        import sqlalchemy
        with shared.engine.connect() as conn:
            return conn.execute(sqlalchemy.text("select pg_sleep(0.05), :n"), {"n": n}).fetchone()[1]
    """, n=i)) == list(range(20))


def test_sqlalchemy_that_is_imported_already(database):
    with Server("run_code", options=["--import", "sqlalchemy", "--psycopg2"]) as server:
        assert server.run("import sqlalchemy.event.attr as a, sqlalchemy.util.queue as q, ugreen\nreturn a.threading.Lock is ugreen.Lock, q.threading.Condition is ugreen.Condition") == [True, True]
    with Server("run_code") as server:
        assert server.run("""
            import sqlalchemy, sqlalchemy.event.attr as a, ugreen
            before = a.threading is threading
            ugreen.patch_sqlalchemy()
            ugreen.patch_sqlalchemy()
            return before, a.threading.Lock is ugreen.Lock, sum(getattr(f, "__name__", "") == "_Finder" for f in sys.meta_path)
        """) == [True, True, 1]


@pytest.mark.green_waits
def test_a_second_green_thread_waits_for_psycopg2s_lock(server):
    """The query holds it, a mutex of C's, while it waits in the callback; the worker goes on."""
    assert run(server, """
        conn.autocommit = True
        ended = []
        def query():
            cur.execute("select pg_sleep(0.5)")
            ended.append("query")
        thread = ugreen.spawn(query)
        ugreen.sleep(0.1)
        ticks = ugreen.spawn(lambda: [ugreen.sleep(0.05) for _ in range(4)] and ended.append("others"))
        conn.rollback()
        ended.append("rollback")
        thread.join(10)
        return ended
    """) == ["others", "query", "rollback"]
