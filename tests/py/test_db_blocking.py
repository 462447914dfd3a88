"""Database drivers in C as they are, without any wait callback: psycopg2 and MySQLdb wait green in libpq and in libmariadb."""

import json
import textwrap
import time

import pytest

from serving import Probe, Server, many

pytestmark = pytest.mark.green_waits

CORES = 60
AT_ONCE = 50

CONNECT = {
    "psycopg2": "import os, psycopg2, ugreen\nconn = psycopg2.connect(os.environ['DSN'])\ncur = conn.cursor()\n",
    "MySQLdb": "import os, MySQLdb, ugreen\nconn = MySQLdb.connect(host='127.0.0.1', port=int(os.environ['MYSQL_PORT']), user='test', passwd='secret', db='test')\ncur = conn.cursor()\n",
}
SLEEP = {"psycopg2": "select pg_sleep(%s), %s", "MySQLdb": "select sleep(%s), %s"}
DRIVERS = list(CONNECT)


@pytest.fixture(scope="module")
def server(database, mysql):
    with serve(database, mysql) as s:
        yield s


def serve(database, mysql, *options):
    return Server("run_code", CORES, ["--mount", "/quick=quick", *options], env={"DSN": database.dsn, "MYSQL_PORT": mysql.port})


def run(server, driver, code, **values):
    return server.run(CONNECT[driver] + textwrap.dedent(code), sleep=SLEEP[driver], **values)


@pytest.mark.parametrize("driver", DRIVERS)
def test_fifty_requests_wait_side_by_side(server, driver):
    """Fifteen seconds of waiting in the time that fifty connections take to open."""
    began = time.monotonic()
    with Probe(server.port, "/quick") as probe:
        answers = many(AT_ONCE, lambda i: run(server, driver, "cur.execute(sleep, (0.3, number))\nanswer = cur.fetchone()[1]\nconn.close()\nreturn answer", number=i))
    assert answers == list(range(AT_ONCE)) or answers == [str(i) for i in range(AT_ONCE)]
    assert time.monotonic() - began < 8
    probe.check(0.25)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_time_out_ends_a_query(server, driver):
    """The exception is the application's own, not one of the driver's that a wait which ended early would cause."""
    began = time.monotonic()
    code = """
        try:
            with ugreen.timeout(0.5):
                cur.execute(sleep, (60, 1))
        except ugreen.Timeout:
            conn.close()
            return "timeout"
        """
    assert many(10, lambda i: run(server, driver, code)) == ["timeout"] * 10
    assert time.monotonic() - began < 10
    # The next ones have connections that work.
    assert many(10, lambda i: run(server, driver, "cur.execute('select 1')\nreturn cur.fetchone()[0]")) == [1] * 10


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("autocommit", [True, False])
def test_a_connection_whose_query_was_given_up_answers_nothing_more(server, driver, autocommit):
    """The answer that is still to come belongs to nobody: the next query on that connection, perhaps another request's, must not get it."""
    code = """
        def attempt(sql, limit=None):
            try:
                with ugreen.timeout(limit):
                    cur = conn.cursor()
                    cur.execute(*sql)
                    return cur.fetchall()
            except ugreen.Timeout:
                return "timeout"
            except Exception as error:
                return type(error).__name__

        exec(begin)
        seen = [attempt((sleep, (0.6, "first")), 0.2)]
        for i in range(3):
            seen.append(attempt(("select 'second'",)))
            time.sleep(0.3)
        return seen, getattr(conn, "closed", None)
        """
    begin = f"conn.autocommit = {autocommit}" if driver == "psycopg2" else f"conn.autocommit({autocommit})"
    for (first, *later), closed in many(4, lambda i: run(server, driver, code, begin=begin)):
        assert first == "timeout" and set(later) <= {"OperationalError", "InterfaceError"}, later
        assert driver != "psycopg2" or closed == 2, "psycopg2 knows that it is broken"


def test_requests_that_share_a_connection_take_turns(server):
    """psycopg2's connections are made for several threads: each query holds a mutex of C's while it waits."""
    server.run("import os, psycopg2\nshared.conn = psycopg2.connect(os.environ['DSN'])\nshared.conn.autocommit = True")
    began = time.monotonic()
    assert many(10, lambda i: server.run("with shared.conn.cursor() as cur:\n    cur.execute('select %s from pg_sleep(0.05)', (number,))\n    return cur.fetchone()[0]", number=i)) == list(range(10))
    assert time.monotonic() - began >= 0.5
    server.run("shared.conn.close()")


def test_psycopg2_does_all_that_it_can(server):
    """What a wait callback takes away from it: COPY, and large objects."""
    assert run(server, "psycopg2", """
        import io
        cur.execute("create temp table t (n int)")
        cur.copy_from(io.StringIO("".join(f"{i}\\n" for i in range(50_000))), "t")
        out = io.StringIO()
        cur.copy_expert("copy (select sum(n) from t) to stdout", out)
        large = conn.lobject()
        large.write(b"0123456789")
        large.seek(4)
        read = large.read(2)
        large.unlink()
        return out.getvalue(), read
        """) == ["1249975000\n", "45"]


@pytest.mark.parametrize("driver", DRIVERS)
def test_harakiri_ends_a_query(database, mysql, driver):
    with serve(database, mysql, "--harakiri", "1") as server:
        code = CONNECT[driver] + "cur.execute(sleep, (60, 1))\nreturn 'went on'"
        asked = json.dumps({"code": code, "values": {"sleep": SLEEP[driver]}})
        assert many(5, lambda i: server.post("/", asked).status) == [504] * 5
        assert run(server, driver, "cur.execute(sleep, (0.1, 7))\nreturn int(cur.fetchone()[1])") == 7
        assert "is stuck" not in server.log
