"""For tests: a throw-away MariaDB. Its data are in a folder of its own, it runs in the foreground, and it is ended by its pid.

::

    with MariaDb() as database:
        database.options                    # for MySQLdb.connect(**options): TCP
        database.query("select 1")          # ((1,),)
        database.running("sleep")           # how many sessions run a query that holds this text

Debian's own server, if there is one, is not touched.
"""

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

from serving import free_port

# The server refuses to be root's.
USER = "mysql" if os.geteuid() == 0 else None

#: Seconds for what should take a moment, on a busy machine.
PATIENCE = 60

# Nothing of it needs to outlive the test, so nothing waits for a disk.
CONFIGURATION = """
[mariadbd]
datadir = {folder}/data
socket = {folder}/socket
pid-file = {folder}/pid
tmpdir = {folder}
init-file = {folder}/users.sql
bind-address = 127.0.0.1
port = {port}
max-connections = {max_connections}
skip-name-resolve
skip-log-bin
innodb-flush-log-at-trx-commit = 0
innodb-buffer-pool-size = 16M
innodb-log-file-size = 8M
"""

USERS = """
create database if not exists test;
create user if not exists test@'127.0.0.1' identified by 'secret';
grant all on *.* to test@'127.0.0.1';
"""


def program(name):
    """The path of one of MariaDB's programs; some of them are not on everybody's PATH."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
    if found is None:
        raise RuntimeError(f"there is no {name}: install Debian's mariadb-server")
    return found


class MariaDb:
    """A running MariaDB server; use it as a context manager.

    max_connections  how many it takes
    """

    def __init__(self, max_connections=100):
        self.max_connections = max_connections
        self.port = None
        self._process = None
        self._folder = None

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="ugreen-test-mariadb-")
        self.folder = pathlib.Path(self._folder.name)
        try:
            self.port = free_port()
            (self.folder / "my.cnf").write_text(CONFIGURATION.format(port=self.port, folder=self.folder, max_connections=self.max_connections), encoding="utf-8")
            (self.folder / "users.sql").write_text(USERS, encoding="utf-8")
            if USER:
                for path in (self.folder, *self.folder.iterdir()):
                    os.chown(path, *pwd.getpwnam(USER)[2:4])
            self._install()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        try:
            if self._process is not None and self._process.poll() is None:
                self.stop()
        finally:
            self._folder.cleanup()

    # :: Life

    def start(self):
        """Start it and wait until it takes connections."""
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen([program("mariadbd"), f"--defaults-file={self.folder}/my.cnf"], stdout=log, stderr=log, **self._surroundings)
        end = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, f"MariaDB ended: {self.log[-4000:]}"
            assert time.monotonic() < end, f"MariaDB takes no connections after {PATIENCE} s: {self.log[-4000:]}"
            time.sleep(0.05)

    def stop(self):
        """End it at once: its data are thrown away."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(PATIENCE)

    @property
    def pid(self):
        """The process id of the server."""
        return self._process.pid

    @property
    def log(self):
        """What it has written."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "log").read_text(errors="replace")
        return ""

    # :: Clients

    @property
    def options(self):
        """How to connect by TCP, for ``MySQLdb.connect(**options)``."""
        return {"host": "127.0.0.1", "port": self.port, "user": "test", "passwd": "secret", "db": "test"}

    def query(self, sql, arguments=None):
        """Run one command on a connection of its own; its rows."""
        import MySQLdb

        with contextlib.closing(MySQLdb.connect(connect_timeout=10, **self.options)) as connection, contextlib.closing(connection.cursor()) as cursor:
            cursor.execute(sql, arguments)
            connection.commit()
            return cursor.fetchall()

    def running(self, text):
        """How many sessions run a query that holds this text just now."""
        return self.query("select count(*) from information_schema.processlist where id <> connection_id() and info like %s", (f"%{text}%",))[0][0]

    # :: Inner

    @property
    def _surroundings(self):
        return {"user": USER, "group": USER, "extra_groups": [] if USER else None, "cwd": self.folder, "stdin": subprocess.DEVNULL}

    def _install(self):
        command = [program("mariadb-install-db"), f"--defaults-file={self.folder}/my.cnf", "--auth-root-authentication-method=normal", "--skip-test-db"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE, text=True, **self._surroundings)
        if done.returncode:
            raise RuntimeError(f"mariadb-install-db ended with {done.returncode}: {done.stdout}")

    def _answers(self):
        import MySQLdb

        try:
            self.query("select 1")
        except MySQLdb.OperationalError:
            return False
        return True
