"""Much at once, with a seed: queries, COPY, time limits, broken connections, leaving clients. Nothing may be lost, and at the end everything works and no query is left."""

import json
import random
import textwrap

import pytest

from serving import Server, abort, many, until

CORES = 40
REQUESTS = 400

WORK = textwrap.dedent("""
    import io, os, psycopg2, ugreen
    dsn = os.environ["DSN"] + " application_name=storm"
    kept = shared.__dict__.setdefault("kept", {})
    core = uwsgi.async_id()
    if core not in kept or kept[core].closed:
        kept[core] = psycopg2.connect(dsn)
    conn = kept[core]
    try:
        with ugreen.timeout(limit), conn, conn.cursor() as cursor:
            if kind == "copy":
                cursor.copy_expert(f"COPY (SELECT n, repeat('x', 100) FROM generate_series(1, {number}) n, pg_sleep({seconds})) TO STDOUT", (out := io.StringIO()))
                return len(out.getvalue().splitlines())
            if kind == "kill":
                cursor.execute("select pg_terminate_backend(pg_backend_pid())")
            if kind == "error":
                cursor.execute("select 1 / 0")
            cursor.execute("select %s, repeat('y', 100000) from pg_sleep(%s)", (number, seconds))
            return cursor.fetchone()[0]
    except (psycopg2.Error, ugreen.Timeout) as error:
        return type(error).__name__
""")

EXPECTED = {"query": {"Timeout"}, "copy": {"Timeout"}, "kill": {"AdminShutdown", "OperationalError", "Timeout"}, "error": {"DivisionByZero", "Timeout"}}


@pytest.mark.parametrize("seed", [1, 2])
def test_storm(database, seed):
    # Collections at every moment: of the runtime by its small budget, of Python in between.
    with Server("run_code", cores=CORES, options=["--psycopg2"], env={"DSN": database.dsn, "DOTNET_GCgen0size": "40000"}) as server:
        def request(i):
            dice = random.Random(f"{seed} {i}")
            kind = dice.choice(["query", "query", "copy", "copy", "kill", "error"])
            values = {"kind": kind, "number": dice.randrange(1, 3000), "seconds": dice.choice([0, 0.01, 0.1, 0.3]), "limit": dice.choice([0.02, 0.15, 20])}
            if dice.random() < 0.15:
                return leave(server, values)
            answer = server.run(WORK, **values)
            assert answer == values["number"] or answer in EXPECTED[kind], (values, answer)
            return kind

        for start in range(0, REQUESTS, CORES):
            many(CORES, lambda i: request(start + i))
        # Afterwards each core has one connection at most, nothing runs, and all of it works.
        until(lambda: not database.count("application_name = 'storm' and state = 'active'"), "no query is left at the server")
        assert many(CORES, lambda i: server.run(WORK, kind="query", number=i, seconds=0.05, limit=20)) == list(range(CORES))
        assert database.count("application_name = 'storm'") <= CORES
        assert "Fatal" not in server.log and "Traceback" not in server.log


def leave(server, values):
    """Sends the request, and is gone."""
    body = json.dumps({"code": WORK, "values": values}).encode()
    client = server.connect()
    client.sendall(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    abort(client)
    return "left"
