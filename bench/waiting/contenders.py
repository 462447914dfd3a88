"""Who takes part in ``bench/blocking``, and what they wait for."""

import contextlib
import dataclasses
import json
import os
import sys

from bench.common.machine import PYTHON, ROOT
from bench.common.processes import Child, free_port
from bench.running.servers import Contender, gunicorn, ugreen

APPS = "bench.waiting.apps."


def gthread(app, address, cores):
    """A thread for each request; more connections than threads, since with as many it keeps none."""
    command = gunicorn("gthread")(app, address, cores)
    return [*command[:-1], "--threads", cores, "--worker-connections", cores + 1000, app]


CONTENDERS = {contender.key: contender for contender in [
    Contender("ugreen", "UGreen.Py", "ours", "", ugreen()),
    Contender("off", "UGreen.Py, --ugreen-blocking=false", "variant", "", ugreen("--ugreen-blocking=false")),
    Contender("gthread", "gunicorn -k gthread", "peer", "", gthread),
    Contender("gevent", "gunicorn -k gevent", "peer", "", gunicorn("gevent")),
    Contender("psycogreen", "gunicorn -k gevent, psycogreen", "peer", "", gunicorn("gevent")),
    # No servers: plain programs.
    Contender("two", "python3, a second thread", "limit", "", None),
    Contender("python", "python3", "limit", "", None),
    Contender("threads", "python3, OS threads", "peer", "", None),
]}

SERVERS = ["ugreen", "gthread", "gevent"]


@dataclasses.dataclass(frozen=True)
class Workload:
    """Requests that all wait at once.

    needs  the services that it waits for (Services)
    """

    key: str
    title: str
    app: str
    needs: str = ""
    contenders: tuple = tuple(SERVERS)


WORKLOADS = {workload.key: workload for workload in [
    Workload("sleep", "time.sleep", APPS + "sleep"),
    Workload("get", "requests.get, a connection per request", APPS + "get", "slow"),
    Workload("session", "requests, one session that keeps connections", APPS + "session", "slow"),
    Workload("psycopg2", "psycopg2, pg_sleep, pooled connections", APPS + "postgres", "postgres", (*SERVERS, "psycogreen")),
    Workload("mysqldb", "MySQLdb, SLEEP, pooled connections", APPS + "mysql", "mysql"),
    Workload("redis", "redis, BLPOP, the client's own pool", APPS + "blpop", "redis"),
]}

#: What the application of a contender finds in its environment.
ENVIRONMENTS = {"psycogreen": {"BENCH_PSYCOGREEN": "1"}}


class Services:
    """What is waited for, each started when it is first needed. Use it as a context manager.

    connections  how many each contender has open at once
    """

    def __init__(self, connections):
        # Everybody of a workload, and plain Python with as many (bench/waiting/alone.py).
        self._most = 5 * connections + 20
        self._env = {"BENCH_CONNECTIONS": str(connections)}
        self._started = {}
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._stack.close()

    def env(self, name):
        """The environment in which an application finds it."""
        if name not in self._started:
            self._started[name] = getattr(self, "_" + name)() if name else {}
        return {**self._env, **self._started[name]}

    def _slow(self):
        port = free_port()
        child = Child("the slow server", [PYTHON, ROOT / "bench" / "waiting" / "slow.py", port], [port])
        self._stack.callback(child.stop)
        child.wait()
        return {"BENCH_URL": f"http://127.0.0.1:{port}"}

    def _postgres(self):
        import postgres

        return self._stack.enter_context(postgres.Postgres(max_connections=self._most)).variables

    def _mysql(self):
        import mariadb

        return {"BENCH_MYSQL": json.dumps(self._stack.enter_context(mariadb.MariaDb(max_connections=self._most)).options)}

    def _redis(self):
        import redis_server

        server = self._stack.enter_context(redis_server.Redis())
        with server.client() as client:
            # Redis looks at most so often in a second whether the time of a client is over; by itself ten times.
            client.config_set("hz", 500)
        return {"BENCH_REDIS": str(server.port)}


def see_tests():
    """The throw-away services are those of the tests."""
    folder = os.fspath(ROOT / "tests" / "py")
    if folder not in sys.path:
        sys.path.insert(0, folder)
