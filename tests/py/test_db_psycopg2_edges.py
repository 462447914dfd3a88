"""Where psycopg2's wait callback ends: large objects, asynchronous connections, other OS threads, waits of the application's own."""

import json
import textwrap

import pytest

from serving import Server, until
from test_db_psycopg2 import CONNECT, run


@pytest.fixture(scope="module")
def server(database):
    with Server("run_code", cores=10, options=["--psycopg2"], env={"DSN": database.dsn}) as s:
        yield s


def test_large_objects_are_refused_by_psycopg2_and_have_functions(server):
    assert run(server, """
        try:
            conn.lobject()
        except psycopg2.ProgrammingError as error:
            text = str(error)
        cur.execute("select lo_from_bytea(0, %s)", (b"0123456789",))
        oid = cur.fetchone()[0]
        cur.execute("select lo_put(%s, 4, 'xx')", (oid,))
        cur.execute("select lo_get(%s), lo_unlink(%s)", (oid, oid))
        return text, bytes(cur.fetchone()[0]).decode()
        """) == ["lobject cannot be used with an asynchronous callback.", "0123xx6789"]


def test_an_asynchronous_connection_is_its_owners(server):
    """As uWSGI's own example does it: async_=1 and a loop of the application's."""
    assert server.run("""
        import os, psycopg2, psycopg2.extensions
        def wait(conn):
            while True:
                state = conn.poll()
                if state == psycopg2.extensions.POLL_OK: return
                (uwsgi.wait_fd_read if state == psycopg2.extensions.POLL_READ else uwsgi.wait_fd_write)(conn.fileno())
                uwsgi.suspend()
        conn = psycopg2.connect(os.environ["DSN"], async_=1)
        wait(conn)
        cur = conn.cursor()
        cur.execute("select pg_sleep(0.05), 3")
        wait(conn)
        result = cur.fetchone()[1], type(conn).__module__
        conn.close()
        return result
        """) == [3, "psycopg2.extensions"]


def test_on_another_os_thread_it_is_an_ordinary_wait(server):
    assert run(server, """
        answers = ugreen.Queue()
        def body():
            with psycopg2.connect(os.environ["DSN"]) as conn, conn.cursor() as cursor:
                cursor.execute("select pg_sleep(0.1), 2")
                answers.put(cursor.fetchone()[1])
        threading.Thread(target=body).start()
        return answers.get(timeout=20)
        """) == 2


def test_what_the_caller_registered_with_uwsgi_is_left_alone(server):
    assert run(server, """
        r, w = pipe()
        uwsgi.wait_fd_read(r, 5)
        cur.execute("select pg_sleep(0.05)")
        os.write(w, b"x")
        uwsgi.suspend()
        ready = uwsgi.ready_fd() == r
        os.close(r), os.close(w)
        return ready
        """) is True


def test_a_client_that_leaves_ends_its_query_under_while_connected(server, database):
    """Nobody would get the answer: the server is told to cancel the query, and the request hears of it where it waits."""
    code = textwrap.dedent("""
        try:
            with ugreen.while_connected():
                cur.execute("select pg_sleep(62)")
        except Exception as error:
            shared.left = type(error).__name__, conn.closed
    """)
    body = json.dumps({"code": CONNECT + code, "values": {}}).encode()
    with server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        until(lambda: database.running("pg_sleep(62)"), "the query runs")
    until(lambda: not database.running("pg_sleep(62)"), "the query is cancelled")
    until(lambda: server.run("return getattr(shared, 'left', None)") == ["ClientGone", 2], "the request hears of it")
