"""psycopg (version 3) by ``ugreen.psycopg``: a class of connections, without a patch."""

import contextlib
import socket
import textwrap
import time

import pytest

from serving import PATIENCE, Server, background, many, until


@pytest.fixture(scope="module")
def server(database):
    with Server("run_code", cores=100, env={"DSN": database.dsn}) as s:
        yield s


CONNECT = "import os, psycopg, ugreen, ugreen.psycopg, _ugreen\nconn = ugreen.psycopg.connect(os.environ['DSN'])\n"


def run(server, code, **values):
    return server.run(CONNECT + textwrap.dedent(code), **values)


def test_a_hundred_requests_wait_side_by_side(server):
    start = time.monotonic()
    assert many(100, lambda i: run(server, "with conn: return conn.execute('select pg_sleep(0.2), %s', (number,)).fetchone()[1]", number=i)) == list(range(100))
    assert time.monotonic() - start < 20


def test_transactions_cursors_copy_and_pipelines(server):
    assert run(server, """
        with conn.transaction():
            conn.execute("create temp table t (n int, text text)")
            with conn.cursor().copy("COPY t FROM STDIN") as copy:
                for n in range(1000):
                    copy.write_row((n, "x" * 1000))
        with conn.cursor().copy("COPY t TO STDOUT") as copy:
            total = sum(len(block) for block in copy)
        with conn.cursor("named") as cursor:
            rows = len(cursor.execute("select * from t").fetchmany(10))
        with conn.pipeline():
            cursors = [conn.execute("select %s::int", (n,)) for n in range(20)]
        answers = [c.fetchone()[0] for c in cursors]
        large = conn.execute("select length(%s), repeat('y', 3000000)", ("x" * 3_000_000,)).fetchone()
        conn.close()
        return total > 1_000_000, rows, answers == list(range(20)), large[0], len(large[1])
    """) == [True, 10, True, 3_000_000, 3_000_000]


def test_several_green_threads_take_turns_on_one_connection(server):
    assert run(server, """
        answers, done = [], ugreen.Semaphore(0)
        def work(n):
            answers.append(conn.execute("select pg_sleep(0.02), %s::int", (n,)).fetchone()[1])
            done.release()
        for n in range(5): _ugreen.spawn(lambda n=n: work(n))
        for _ in range(5): assert done.acquire(timeout=20)
        conn.close()
        return sorted(answers)
    """) == [0, 1, 2, 3, 4]


def test_a_time_limit_cancels_the_query_and_keeps_the_connection(server, database):
    assert run(server, """
        block = ugreen.timeout(0.2)
        try:
            with block:
                conn.execute("select pg_sleep(67)")
        except ugreen.Timeout as error:
            mine = error.timeout is block
        status = conn.info.transaction_status.name
        conn.rollback()
        answer = conn.execute("select 3").fetchone()[0]
        quiet = ugreen.timeout(0.2, quiet=True)
        with quiet, conn:
            conn.execute("select pg_sleep(67)")
        return mine, status, answer, quiet.expired, conn.closed
    """) == [True, "INERROR", 3, True, True]
    until(lambda: not database.running("pg_sleep(67)"), "the server has cancelled the query")


def test_an_interrupt_while_the_server_is_asked_to_cancel_is_not_lost(server):
    """A server that does not answer any more: a second exception comes, and is the one that is raised."""
    with frozen_server(server) as port:
        assert server.run("""
            import os, psycopg, ugreen, ugreen.psycopg, _ugreen
            class Killed(BaseException): pass
            conn = ugreen.psycopg.connect(dsn)
            me = _ugreen.green_id()
            shared.stop_talking.set()
            def kill():
                ugreen.sleep(0.6)
                _ugreen.interrupt(me, Killed())
            _ugreen.spawn(kill)
            try:
                with ugreen.timeout(0.2):
                    conn.execute("select 1")
            except Killed:
                return conn.closed
        """, dsn=f"host=127.0.0.1 port={port} user=test dbname=postgres") is True


@contextlib.contextmanager
def frozen_server(server):
    """A port that passes everything on to PostgreSQL until ``shared.stop_talking`` is set in the server, and nothing any more after that."""
    server.run("""
        import os, ugreen, psycopg.conninfo
        target = psycopg.conninfo.conninfo_to_dict(os.environ["DSN"])
        shared.stop_talking = threading.Event()
        shared.listener = socket.create_server(("127.0.0.1", 0))
        def pump(source, sink):
            while data := source.recv(65536):
                if shared.stop_talking.is_set(): return
                sink.sendall(data)
        def accept():
            while True:
                try:
                    client, _ = shared.listener.accept()
                except OSError:
                    return
                if shared.stop_talking.is_set(): continue
                upstream = socket.create_connection((target["host"], int(target["port"])))
                shared.kept = getattr(shared, "kept", []) + [client, upstream]
                for pair in ((client, upstream), (upstream, client)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()
    """)
    try:
        yield server.run("return shared.listener.getsockname()[1]")
    finally:
        server.run("shared.listener.shutdown(socket.SHUT_RDWR)\nshared.listener.close()\nfor s in getattr(shared, 'kept', []): s.close()")


def test_connect_timeout_counts(server):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with background(server.run, """
            import psycopg, ugreen.psycopg
            start = time.monotonic()
            try:
                ugreen.psycopg.connect(dsn)
            except psycopg.errors.ConnectionTimeout as error:
                return str(error), time.monotonic() - start
        """, dsn=f"host=127.0.0.1 port={listener.getsockname()[1]} user=x dbname=x connect_timeout=2") as future:
            assert server.run("return 1 + 1") == 2
            text, seconds = future.result(PATIENCE)
    assert text == "connection timeout expired" and 2 <= seconds < 7


def test_cancel_from_another_green_thread(server):
    assert run(server, """
        conn.autocommit = True
        def later():
            with ugreen.psycopg.connect(os.environ["DSN"], autocommit=True) as other:
                while other.execute("select state from pg_stat_activity where pid = %s and query like '%%sleep(30)%%'", (conn.info.backend_pid,)).fetchone() != ("active",):
                    pass
            conn.cancel()
        _ugreen.spawn(later)
        try:
            conn.execute("select pg_sleep(30)")
        except psycopg.errors.QueryCanceled as error:
            text = str(error)
        answer = conn.execute("select 5").fetchone()[0]
        conn.close()
        conn.cancel()
        return text, answer
    """) == ["canceling statement due to user request", 5]


def test_notifications(server):
    assert run(server, """
        conn.autocommit = True
        conn.execute("listen news3")
        def tell():
            with ugreen.psycopg.connect(os.environ["DSN"], autocommit=True) as other:
                other.execute("notify news3, 'hello'")
        _ugreen.spawn(tell)
        payload = next(conn.notifies()).payload
        conn.close()
        return payload
    """) == "hello"


def test_a_broken_connection(server, database):
    with background(run, server, """
        try:
            conn.execute("select pg_sleep(68)")
        except psycopg.OperationalError as error:
            return conn.broken, type(error).__name__
    """) as future:
        until(lambda: database.running("pg_sleep(68)"), "the query runs")
        database.psql("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(68)%' and pid <> pg_backend_pid()")
        broken, kind = future.result(PATIENCE)
    assert kind in ("AdminShutdown", "OperationalError")


def test_psycopgs_own_connections_are_not_changed(server):
    assert run(server, """
        conn.close()
        with psycopg.connect(os.environ["DSN"]) as plain:
            kind = type(plain).__module__
            value = plain.execute("select 1").fetchone()[0]
        return kind, value
    """) == ["psycopg", 1]


@pytest.mark.green_waits
def test_psycopgs_own_connections_wait_green(server):
    """Those of an event loop, too."""
    began = time.monotonic()
    assert many(20, lambda i: server.run("""
        import asyncio, os, psycopg
        with psycopg.connect(os.environ["DSN"]) as plain:
            first = plain.execute("select pg_sleep(0.3), 3").fetchone()[1]
        async def main():
            async with await psycopg.AsyncConnection.connect(os.environ["DSN"]) as conn:
                return (await (await conn.execute("select pg_sleep(0.3), 4")).fetchone())[1]
        return first, asyncio.run(main())
    """)) == [[3, 4]] * 20
    assert time.monotonic() - began < 6


def test_on_another_os_thread(server):
    assert run(server, """
        conn.close()
        answers = ugreen.Queue()
        def body():
            with ugreen.psycopg.connect(os.environ["DSN"]) as other:
                answers.put(other.execute("select pg_sleep(0.05), 4").fetchone()[1])
        threading.Thread(target=body).start()
        return answers.get(timeout=20)
    """) == 4
