"""Django, SQLAlchemy and psycopg2's pool with ``--psycopg2``: how many connections they hold, and what happens when there is none left."""

import urllib.parse

import pytest

from postgres import Postgres
from serving import PATIENCE, Server, background, many, until

CORES = 12


def serve(database, options=("--psycopg2",)):
    return Server("databases_pg", cores=CORES, options=options, env={"PG_HOST": "127.0.0.1", "PG_PORT": database.port})


@pytest.fixture(scope="module", params=["--psycopg2", pytest.param("", marks=pytest.mark.green_waits)])
def server(database, request):
    """With psycopg2's waits and the pools' locks replaced, and without: what blocks waits green."""
    with serve(database, request.param.split()) as s:
        yield s


def ask(server, kind, sql="select 1", **query):
    return server.get(f"/{kind}?" + urllib.parse.urlencode({"sql": sql, **query})).json


def together(server, kind, group, sql="select pg_sleep(0.02), 1"):
    """As many requests as there are cores, at the same time: each has a core of its own."""
    answers = many(CORES, lambda i: ask(server, kind, sql, group=group, n=CORES))
    assert sorted(a["core"] for a in answers) == list(range(CORES)) and not [a for a in answers if "error" in a]


@pytest.mark.parametrize("kind", ["django_query", "django_transaction"])
def test_a_core_has_one_connection_of_django_and_keeps_it(server, database, kind):
    """N cores, N connections, however many requests: the same backends serve all rounds."""
    backends = set()
    for turn in range(4):
        together(server, kind, f"{kind} {turn}")
        backends.add(database.psql("select string_agg(pid::text, ',' order by pid) from pg_stat_activity where application_name = 'django'"))
        assert database.count("application_name = 'django'") == CORES
    assert len(backends) == 1
    many(100, lambda i: ask(server, kind))
    assert database.count("application_name = 'django'") == CORES


@pytest.mark.parametrize("kind", ["scoped", "removed"])
def test_scoped_sessions_hold_at_most_one_connection_for_each_core(server, database, kind):
    for turn in range(2):
        with database.gate() as gate, background(together, server, kind, f"{kind} {turn}", gate.sql) as crowd:
            until(lambda: gate.waiting() == CORES, "all cores have a query under way")
            assert database.count("application_name = 'scoped'") == CORES
            gate.open()
            crowd.result(PATIENCE)
    many(100, lambda i: ask(server, kind))
    assert database.count("application_name = 'scoped'") <= CORES


def test_the_first_requests_of_an_engine_may_come_together(database):
    """The first connection is set up under a lock, with queries. A lock of threading's would stop the worker for good."""
    with serve(database) as server:
        together(server, "from_small", "first", "select pg_sleep(0.05)")
        together(server, "removed", "second", "select pg_sleep(0.05)")


def test_sqlalchemys_pool_lets_requests_wait_for_a_connection(server, database):
    """Twelve at once on five connections: nobody fails."""
    with database.gate() as gate, background(together, server, "from_small", "exhausted", gate.sql) as crowd:
        until(lambda: gate.waiting() == 5, "all connections are in use")
        assert database.count("application_name = 'small'") == 5
        gate.open()
        crowd.result(PATIENCE)


def test_a_worker_is_not_held_up_while_a_request_waits_for_the_pool(server, database):
    with database.gate() as gate, background(ask, server, "from_tiny", gate.sql) as holder:
        until(gate.waiting, "the only connection is in use")
        with background(ask, server, "from_tiny") as waiter:
            # A worker that stands still could only say so before it waits, or afterwards.
            until(lambda: ask(server, "waiting_for_tiny")["result"] == 1, "a request waits for the connection, and others are served")
            assert ask(server, "django_query", "select 5")["result"] == 5
            answer = waiter.result(PATIENCE)
        assert answer["error"] == "TimeoutError" and "QueuePool limit of size 1 overflow 0 reached" in answer["text"]
        gate.open()
        assert holder.result(PATIENCE)["result"] == 1


def test_psycopg2s_own_pool(server, database):
    """It makes and rolls back connections under a lock."""
    for turn in range(3):
        together(server, "from_pool", f"pool {turn}")
    assert database.count("application_name = 'pool'") <= CORES


GIVEN_UP = ["django_query", "django_transaction", "scoped", "removed", "from_small", "from_tiny", "from_pool"]


@pytest.fixture(scope="module")
def patched(database):
    with serve(database) as s:
        yield s


@pytest.fixture(scope="module")
def plain(database):
    with serve(database, []) as s:
        yield s


@pytest.mark.green_waits
@pytest.mark.parametrize("kind", GIVEN_UP)
def test_a_time_limit_without_the_patch_costs_a_request_of_that_connection_at_most(plain, kind):
    """Libraries learn of a broken connection by an error. Nobody gets an answer that was another query's."""
    for turn in range(2):
        answer = ask(plain, kind, "select 'late' from pg_sleep(2)", limit=0.3)
        # What a rollback on the broken connection raises comes on top of the Timeout.
        assert answer.get("error") in ("Timeout", "OperationalError", "InterfaceError"), answer
        failed = 0
        for round in range(3):
            answers = many(CORES, lambda i: ask(plain, kind, f"select {i} from pg_sleep(0.05)", group=f"plain {kind} {turn} {round}", n=CORES))
            assert all("error" in a or a["result"] == i for i, a in enumerate(answers)), answers
            failed += sum("error" in a for a in answers)
        assert failed <= 1, failed


@pytest.mark.parametrize("kind", GIVEN_UP)
def test_a_time_limit_is_told_as_such_and_the_next_request_has_a_connection(patched, database, kind):
    server = patched
    for _ in range(2):
        answer = ask(server, kind, "select pg_sleep(66)", limit=0.3)
        assert (answer["error"], answer["text"]) == ("Timeout", "timed out after 0.3 seconds"), answer
        until(lambda: not database.running("pg_sleep(66)"), "the server has cancelled the query")
        # On every core, so also on the one where the connection was lost.
        together(server, kind, f"after a time limit {kind} {_}", "select 1")


def test_after_a_restart_of_the_server_the_next_requests_connect_again():
    with Postgres() as own, serve(own) as server:
        kinds = ["django_query", "scoped", "from_small", "from_pool"]
        for kind in kinds:
            together(server, kind, f"before {kind}")
        own.restart("immediate")
        for kind in kinds:
            # What was open is found broken once at most by each core, and for each connection of a pool.
            for turn in range(3):
                many(CORES, lambda i: ask(server, kind, group=f"broken {kind} {turn}", n=CORES))
            together(server, kind, f"after {kind}")
