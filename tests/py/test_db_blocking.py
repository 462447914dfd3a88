"""Database drivers in C as they are, without any wait callback: psycopg2 and MySQLdb wait green in libpq and in libmariadb."""

import json
import textwrap
import time

import pytest

from serving import Probe, Server, many

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
def test_harakiri_ends_a_query(database, mysql, driver):
    with serve(database, mysql, "--harakiri", "1") as server:
        code = CONNECT[driver] + "cur.execute(sleep, (60, 1))\nreturn 'went on'"
        asked = json.dumps({"code": code, "values": {"sleep": SLEEP[driver]}})
        assert many(5, lambda i: server.post("/", asked).status) == [504] * 5
        assert run(server, driver, "cur.execute(sleep, (0.1, 7))\nreturn int(cur.fetchone()[1])") == 7
        assert "is stuck" not in server.log
