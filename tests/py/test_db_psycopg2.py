"""psycopg2 on green threads with ``--psycopg2``, against a real PostgreSQL: what works, and how what fails fails."""

import json
import textwrap
import time

import pytest

from serving import PATIENCE, Remote, Server, background, many, until


@pytest.fixture(scope="module")
def server(database):
    with Server("run_code", cores=100, options=["--psycopg2"], env={"DSN": database.dsn}) as s:
        yield s


# What most of the tests begin with.
CONNECT = "import os, psycopg2, ugreen\nconn = psycopg2.connect(os.environ['DSN'])\ncur = conn.cursor()\n"


def run(server, code, **values):
    return server.run(CONNECT + textwrap.dedent(code), **values)


def fails(server, code, kind, text="", **values):
    with pytest.raises(Remote, match=text) as error:
        run(server, code, **values)
    assert error.value.kind == kind


def test_a_hundred_requests_wait_side_by_side(server, database):
    """Twenty seconds of waiting in two hundred connections' time; loose, because opening a hundred connections takes its time on a busy machine."""
    start = time.monotonic()
    assert many(100, lambda i: run(server, "cur.execute('select pg_sleep(0.2), %s', (number,))\nvalue = cur.fetchone()[1]\nconn.close()\nreturn value", number=i)) == list(range(100))
    assert time.monotonic() - start < 20


def test_others_run_while_one_waits(server, database):
    """No other test asks for 61 seconds: queries that were given up go on in the database."""
    with background(run, server, "cur.execute('select pg_sleep(61)')") as query:
        until(lambda: database.running("pg_sleep(61)"), "the query runs")
        assert server.run("return 1 + 1") == 2
        assert database.psql("select count(pg_cancel_backend(pid)) from pg_stat_activity where query like '%pg_sleep(61)%' and state = 'active' and pid <> pg_backend_pid()") == "1\n"
        with pytest.raises(Remote) as error:
            query.result(PATIENCE)
    assert error.value.kind == "QueryCanceled" and "user request" in error.value.text


def test_a_transaction_and_its_errors(server):
    assert run(server, """
        cur.execute("create temp table t (n int primary key)")
        cur.executemany("insert into t values (%s)", [(1,), (2,), (3,)])
        conn.commit()
        try:
            cur.execute("insert into t values (1)")
        except psycopg2.errors.UniqueViolation as error:
            code = error.pgcode
        try:
            cur.execute("select 1")
        except psycopg2.errors.InFailedSqlTransaction:
            conn.rollback()
        cur.execute("select sum(n) from t")
        return code, cur.fetchone(), conn.closed
        """) == ["23505", [6], 0]


def test_autocommit_and_sessions(server):
    assert run(server, """
        conn.autocommit = True
        cur.execute("select 1")
        first = conn.info.transaction_status
        conn.autocommit = False
        conn.set_session(isolation_level="serializable", readonly=True)
        cur.execute("show transaction_isolation")
        level = cur.fetchone()[0]
        try:
            cur.execute("create table nothing (n int)")
        except psycopg2.errors.ReadOnlySqlTransaction:
            conn.rollback()
        conn.reset()
        return first, level, conn.closed
        """) == [0, "serializable", 0]


def test_named_cursors_and_their_iteration(server):
    assert run(server, """
        with conn.cursor("many") as named:
            named.itersize = 7
            named.execute("select generate_series(1, 100)")
            total = sum(row[0] for row in named)
        with conn.cursor("scroll", scrollable=True) as named:
            named.execute("select generate_series(1, 10)")
            named.scroll(5)
            return total, named.fetchmany(2), type(named).__module__
        """) == [5050, [[6], [7]], "ugreen.psycopg2"]


def test_notices(server):
    assert run(server, """
        cur.execute("do $$ begin raise notice 'first'; perform pg_sleep(0.01); raise notice 'second'; end $$")
        return [n.strip() for n in conn.notices]
        """) == ["NOTICE:  first", "NOTICE:  second"]


def test_large_results_and_large_queries(server):
    """More than the socket's buffers hold, in both directions."""
    assert run(server, """
        text = "x" * 5_000_000
        cur.execute("select length(%s), repeat('y', 5000000)", (text,))
        length, back = cur.fetchone()
        return length, len(back), back == "y" * 5_000_000
        """) == [5_000_000, 5_000_000, True]


def test_several_statements_at_once(server):
    assert run(server, """
        cur.execute("select 1; select 2; select 3")
        last = cur.fetchone()
        cur.callproc("abs", (-5,))
        return last, cur.fetchone()
        """) == [[3], [5]]


def test_two_phase_commit_refuses_what_the_server_refuses(server):
    fails(server, """
        conn.tpc_rollback("never prepared")
        """, "UndefinedObject", 'prepared transaction with identifier "never prepared" does not exist')


def test_notifications_by_waiting_for_the_connection(server):
    assert run(server, """
        conn.autocommit = True
        cur.execute("listen news")
        early = ugreen.wait_read(conn, 0.05)
        def tell():
            other = psycopg2.connect(os.environ["DSN"])
            other.autocommit = True
            other.cursor().execute("notify news, 'hello'")
            other.close()
        import _ugreen
        _ugreen.spawn(tell)
        ready = ugreen.wait_read(conn, 20)
        conn.poll()
        return early, ready, [(n.channel, n.payload) for n in conn.notifies]
        """) == [False, True, [["news", "hello"]]]


# :: How waits end early


def test_a_time_limit_around_a_query(server, database):
    """The application gets its own exception; the query ends at the server; the connection is closed, and the next one works."""
    assert run(server, """
        block = ugreen.timeout(0.2)
        try:
            with block:
                cur.execute("select pg_sleep(61)")
        except ugreen.Timeout as error:
            mine = error.timeout is block
        closed = bool(conn.closed)
        try:
            cur.execute("select 1")
        except psycopg2.InterfaceError as error:
            text = str(error)
        again = psycopg2.connect(os.environ["DSN"])
        with again, again.cursor() as cursor:
            cursor.execute("select 7")
            seven = cursor.fetchone()[0]
        again.close()
        return mine, closed, text, seven
        """) == [True, True, "cursor already closed", 7]
    until(lambda: not database.running("pg_sleep(61)"), "the server has cancelled the query")


def test_with_connection_does_not_hide_what_ended_the_query(server):
    """psycopg2's own connection would raise InterfaceError here, because it cannot roll back any more."""
    assert run(server, """
        block = ugreen.timeout(0.1, quiet=True)
        with block, conn, conn.cursor() as cursor:
            cursor.execute("select pg_sleep(62)")
        return block.expired, bool(conn.closed)
        """) == [True, True]


def test_an_interrupt_is_never_lost(server):
    """Whatever the class, in every call that waits."""
    assert run(server, """
        import _ugreen
        class Killed(BaseException): pass
        def attempt(action):
            conn = psycopg2.connect(os.environ["DSN"])
            cur = conn.cursor()
            cur.execute("set lock_timeout = '20s'")
            seen = []
            def body():
                try:
                    action(conn, cur)
                except BaseException as error:
                    seen.append(type(error).__name__)
                else:
                    seen.append("nothing")
                done.set()
            done, ids = ugreen.Event(), []
            def start():
                ids.append(_ugreen.green_id())
                body()
            _ugreen.spawn(start)
            while not ids: ugreen.sleep(0)
            ugreen.sleep(0.05)
            _ugreen.interrupt(ids[0], Killed())
            done.wait(20)
            return seen[0], bool(conn.closed)
        conn.close()
        def commit(conn, cur):
            cur.execute("create temp table d (n int)")
            cur.execute("create function pg_temp.slow() returns trigger language plpgsql as 'begin perform pg_sleep(30); return null; end'")
            cur.execute("create constraint trigger slow after insert on d deferrable initially deferred for each row execute function pg_temp.slow()")
            cur.execute("insert into d values (1)")
            conn.commit()
        def fetch(conn, cur):
            named = conn.cursor("n")
            named.execute("select pg_sleep(30) from generate_series(1, 2)")
            named.fetchone()
        return attempt(lambda conn, cur: cur.execute("select pg_sleep(30)")), attempt(commit), attempt(fetch), attempt(lambda conn, cur: cur.callproc("pg_sleep", (30,)))
        """) == [["Killed", True]] * 4


def test_statement_timeout_leaves_the_connection_usable(server):
    assert run(server, """
        conn.autocommit = True
        cur.execute("set statement_timeout = '100ms'")
        try:
            cur.execute("select pg_sleep(30)")
        except psycopg2.errors.QueryCanceled as error:
            text = str(error).strip()
        cur.execute("select 5")
        return text, cur.fetchone(), conn.closed
        """) == ["canceling statement due to statement timeout", [5], 0]


def test_cancel_from_another_green_thread(server):
    """conn.cancel() itself waits green: it opens a connection to the server."""
    assert run(server, """
        import _ugreen
        conn.autocommit = True
        def later():
            with psycopg2.connect(os.environ["DSN"]) as other, other.cursor() as look:
                state = None
                while state != ("active",):
                    other.rollback()
                    look.execute("select state from pg_stat_activity where pid = %s and query like '%%sleep(30)%%'", (conn.info.backend_pid,))
                    state = look.fetchone()
            conn.cancel()
        _ugreen.spawn(later)
        try:
            cur.execute("select pg_sleep(30)")
        except psycopg2.errors.QueryCanceled as error:
            text = str(error).strip()
        cur.execute("select 6")
        six = cur.fetchone()
        conn.cancel()
        conn.close()
        try:
            conn.cancel()
        except psycopg2.InterfaceError:
            return text, six
        """) == ["canceling statement due to user request", [6]]


@pytest.mark.parametrize("state, error", [
    ("conn.tpc_begin('ugreen'); conn.tpc_prepare()", "ProgrammingError: cancel cannot be used with a prepared two-phase transaction"),
    ("conn.close()", "InterfaceError: connection already closed"),
    ("conn.tpc_begin('ugreen')", "None"),
    ("conn.cursor().execute('select 1')", "None"),
    ("conn.autocommit = True; conn.cursor().execute('select 1')", "None"),
    ("pass", "None"),
])
def test_cancel_in_every_state_as_psycopg2s_own(server, state, error):
    assert server.run(f"""
        import os, psycopg2
        def outcome(cancel):
            conn = psycopg2.connect(os.environ["DSN"])
            try:
                {state}
                try:
                    return str(cancel(conn))
                except psycopg2.Error as error:
                    return f"{{type(error).__name__}}: {{error}}"
            finally:
                if not conn.closed:
                    if conn.status != psycopg2.extensions.STATUS_READY:
                        conn.tpc_rollback() if "tpc" in {state!r} else conn.rollback()
                    conn.close()
        return [outcome(lambda conn: conn.cancel()), outcome(psycopg2.extensions.connection.cancel)]
        """) == [error, error]



def test_a_connection_belongs_to_one_green_thread_at_a_time(server):
    """Whatever would wait for psycopg2's lock, which the other green thread holds: the worker would stand still for good."""
    assert run(server, """
        import _ugreen
        conn.autocommit = True
        ended = ugreen.Event()
        def query():
            cur.execute("select pg_sleep(2)")
            ended.set()
        _ugreen.spawn(query)
        ugreen.sleep(0.05)
        seen = []
        def setting(name):
            return lambda: setattr(conn, name, getattr(conn, name))
        for action in (conn.commit, conn.rollback, conn.close, conn.reset, conn.set_session, lambda: conn.set_client_encoding("utf8"), lambda: conn.set_isolation_level(0),
                       lambda: conn.tpc_begin("x"), setting("autocommit"), setting("readonly"), setting("isolation_level"), setting("deferrable"), conn.__enter__,
                       lambda: conn.__exit__(None, None, None), lambda: conn.__exit__(ValueError, ValueError(), None)):
            try:
                action()
            except psycopg2.ProgrammingError as error:
                seen.append("underway" in str(error))
            else:
                seen.append(action.__name__)
        assert ended.wait(20)
        conn.commit()
        conn.autocommit = False
        with conn:
            cur.execute("select 8")
        value = cur.fetchone()
        conn.close()
        return seen, value
        """) == [[True] * 12 + ["__enter__", True, True], [8]]


def test_two_cursors_of_one_connection(server):
    fails(server, """
        import _ugreen
        conn.autocommit = True
        ended = ugreen.Event()
        def query():
            cur.execute("select pg_sleep(2)")
            ended.set()
        _ugreen.spawn(query)
        ugreen.sleep(0.05)
        try:
            conn.cursor().execute("select 1")
        finally:
            assert ended.wait(20)
            with conn.cursor() as c:
                c.execute("select 8")
                assert c.fetchone() == (8,)
        """, "ProgrammingError", "cannot be used while an asynchronous query is underway")


def test_a_broken_connection_is_an_error_of_that_request_alone(server, database):
    with database.gate() as gate, background(run, server, "cur.execute('select pg_sleep(63)')") as query, background(run, server, "cur.execute(sql)\nreturn cur.fetchone()[0]", sql=gate.sql) as other:
        until(lambda: database.running("pg_sleep(63)") and gate.waiting(), "both queries run")
        database.psql("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(63)%' and pid <> pg_backend_pid()")
        with pytest.raises(Remote) as error:
            query.result(PATIENCE)
        assert error.value.kind in ("OperationalError", "AdminShutdown") and "terminating connection" in error.value.text
        gate.open()
        assert other.result(PATIENCE) == 1


def test_a_client_that_leaves_does_not_hurt_the_connection(server, database):
    """The query runs on; the connection, which the core keeps, serves its next request."""
    code = "shared.conn = conn\nreach_end = shared.__dict__.setdefault('ends', [])\ncur.execute('select pg_sleep(2.5)')\nreach_end.append(conn.closed)"
    body = json.dumps({"code": CONNECT + code, "values": {}}).encode()
    with server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        until(lambda: database.running("pg_sleep(2.5)"), "the query runs")
    until(lambda: server.run("return getattr(shared, 'ends', [])") == [0], "the query ended")
    assert server.run("""
        with shared.conn.cursor() as cursor:
            cursor.execute("select 9")
            nine = cursor.fetchone()[0]
        shared.conn.close()
        return nine
    """) == 9
