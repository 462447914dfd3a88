"""For tests: a throw-away PostgreSQL. Its data are in a folder of its own, it runs in the foreground, and it is ended by its pid.

::

    with Postgres() as database:
        database.dsn                        # for psycopg2.connect(): TCP; database.socket_dsn: its unix socket
        database.psql("select 1")           # "1\\n"
        database.restart("immediate")       # as "pg_ctl restart -m immediate": every connection breaks

Debian's own cluster, if there is one, is not touched.
"""

import contextlib
import glob
import itertools
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

from serving import free_port

# initdb and the server refuse to be root's.
USER = "postgres" if os.geteuid() == 0 else None

#: Seconds for what should take a moment, on a busy machine.
PATIENCE = 60

#: What ends the server by a signal, as the modes of pg_ctl do.
STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}

CONFIGURATION = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
max_connections = {max_connections}
max_prepared_transactions = 10
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 32MB
logging_collector = off
autovacuum = off
"""


def program(name):
    """The path of one of PostgreSQL's programs; on Debian only some of them are on PATH."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}")) or [shutil.which(name)]
    if found[-1] is None:
        raise RuntimeError(f"there is no {name}: install Debian's postgresql-15")
    return found[-1]


class Postgres:
    """A running PostgreSQL server; use it as a context manager.

    max_connections  how many it takes; three of them are kept for superusers, which all connections here are
    """

    def __init__(self, max_connections=100):
        self.max_connections = max_connections
        self.port = None
        self._process = None
        self._folder = None

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="ugreen-test-postgres-")
        self.folder = pathlib.Path(self._folder.name)
        try:
            if USER:
                os.chown(self.folder, *pwd.getpwnam(USER)[2:4])
            self._run(program("initdb"), "--no-sync", "--auth=trust", "--username=test", "--encoding=UTF8", "--locale=C.UTF-8", "-D", self.folder / "data")
            self.port = free_port()
            text = CONFIGURATION.format(port=self.port, folder=self.folder, max_connections=self.max_connections)
            with open(self.folder / "data" / "postgresql.conf", "a", encoding="utf-8") as file:
                file.write(text)
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        try:
            if self._process is not None and self._process.poll() is None:
                self.stop("immediate")
        finally:
            self._folder.cleanup()

    # :: Life

    def start(self):
        """Start it and wait until it takes connections."""
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen([program("postgres"), "-D", self.folder / "data"], user=USER, group=USER, extra_groups=[] if USER else None, cwd=self.folder,
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, f"PostgreSQL ended: {self.log[-4000:]}"
            assert time.monotonic() < end, f"PostgreSQL takes no connections after {PATIENCE} s: {self.log[-4000:]}"
            time.sleep(0.05)

    def stop(self, mode="fast"):
        """End it: "smart" waits for clients, "fast" ends their sessions with an error, "immediate" just breaks off."""
        self._process.send_signal(STOP_SIGNALS[mode])
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()

    def restart(self, mode="immediate"):
        """Stop and start it, on the same port with the same data."""
        self.stop(mode)
        self.start()

    @property
    def pid(self):
        """The process id of the server (of its postmaster)."""
        return self._process.pid

    @property
    def log(self):
        """What it has written."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "log").read_text(errors="replace")
        return ""

    # :: Clients

    @property
    def dsn(self):
        """How to connect by TCP."""
        return f"host=127.0.0.1 port={self.port} user=test dbname=postgres"

    @property
    def socket_dsn(self):
        """How to connect by its unix socket."""
        return f"host={self.folder} port={self.port} user=test dbname=postgres"

    @property
    def variables(self):
        """libpq's environment variables for it."""
        return {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "test", "PGDATABASE": "postgres"}

    @property
    def url(self):
        """How SQLAlchemy connects."""
        return f"postgresql+psycopg2://test@127.0.0.1:{self.port}/postgres"

    def psql(self, sql):
        """Run one command on a connection of its own; its rows as text, columns parted by "|"."""
        command = [program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, f"{self.socket_dsn} connect_timeout=10 application_name=psql"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE, text=True)
        if done.returncode:
            raise RuntimeError(f"psql: {done.stdout}")
        return done.stdout

    def count(self, where="true"):
        """How many of the sessions of clients, psql's own left out, fulfil a condition on pg_stat_activity."""
        return int(self.psql(f"select count(*) from pg_stat_activity where backend_type = 'client backend' and application_name <> 'psql' and ({where})"))

    def running(self, text):
        """How many sessions run a query that holds this text just now."""
        quoted = text.replace("'", "''")
        return self.count(f"state = 'active' and position('{quoted}' in query) > 0")

    @contextlib.contextmanager
    def gate(self):
        """A Gate that is closed, and open at the end of the block."""
        gate = Gate(self)
        try:
            yield gate
        finally:
            gate.open()

    # :: Inner

    def _answers(self):
        return not subprocess.run([program("pg_isready"), "-q", "-h", self.folder, "-p", str(self.port)], timeout=PATIENCE).returncode

    def _run(self, *command):
        done = subprocess.run([str(word) for word in command], user=USER, group=USER, extra_groups=[] if USER else None, cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE, text=True)
        if done.returncode:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout}")


class Gate:
    """Queries that run ``sql`` wait until the test calls open(), and then return 1."""

    _numbers = itertools.count(1)

    def __init__(self, server):
        import psycopg2

        self._server, number = server, next(self._numbers)
        self.sql = f"select 1 from (select pg_advisory_xact_lock_shared({number})) gate{number}"
        self._name = f"gate{number}"
        self._holder = psycopg2.connect(server.dsn + " application_name=psql")
        self._holder.cursor().execute("select pg_advisory_lock(%s)", (number,))

    def waiting(self):
        """How many wait."""
        return self._server.running(self._name)

    def open(self):
        """Let them all through."""
        self._holder.close()
