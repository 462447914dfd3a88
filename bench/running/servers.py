"""The contenders of ``bench/run``: how each is started, with one worker, in its best setting (bench/README.md says why it is the best)."""

import dataclasses
import os
import pathlib
import tempfile

from bench.common import nginx
from bench.common.machine import ROOT
from bench.common.processes import Child, Trouble, cpu_of, free_port, memory_of

#: Connections that may wait to be accepted: as many as the kernel allows, for all alike.
BACKLOG = int(pathlib.Path("/proc/sys/net/core/somaxconn").read_text())

@dataclasses.dataclass(frozen=True)
class Contender:
    """A server and its setting.

    kind     "ours", "peer", "variant" (another setting of a peer's, to show why it is not the one that is compared with) or "limit" (nobody who runs Python is faster)
    flavour  which applications it runs, where a workload has one for each way to wait
    command  makes the command line of (application, address, cores)
    closes   it ends each connection after an answer, without a word about it
    behind   how nginx in front of it passes requests on, by a Unix socket; "" without nginx
    """

    key: str
    name: str
    kind: str
    flavour: str
    command: object
    closes: bool = False
    behind: str = ""


def ugreen(*options, front="--http"):
    return lambda app, address, cores: [ROOT / "ugreen-py", "-w", app, "--async", cores, "--ugreen", front, address, "--disable-logging", "--listen", BACKLOG, *options]


def uwsgi(plugins, front, *options, cores="--async"):
    """One process without a master; the HTTP parser is in the worker itself unless the front is --http."""
    def command(app, address, count):
        concurrent = [cores, count] if cores else []
        return ["uwsgi", "--plugins", plugins, front, address, "--module", app, "--need-app", "--pythonpath", ROOT, *concurrent, *options, "--listen", BACKLOG, "--disable-logging", "--die-on-term"]

    return command


def gunicorn(worker):
    # Its workers show that they live by touching a file, which its documentation wants in memory.
    memory = ["--worker-tmp-dir", "/dev/shm"] if os.path.isdir("/dev/shm") else []
    return lambda app, address, cores: ["gunicorn", "-k", worker, "-w", 1, "--worker-connections", max(1000, cores), "-b", address, "--backlog", BACKLOG, *memory, "--log-level", "warning", app]


def kestrel(app, address, cores):
    return [ROOT / "bench" / "limit", "kestrel", "--port", address.rpartition(":")[2]]


CONTENDERS = {contender.key: contender for contender in [
    Contender("ugreen", "UGreen.Py", "ours", "ugreen", ugreen()),
    Contender("ugreen-yield", "UGreen.Py, yield", "variant", "uwsgi", ugreen()),
    Contender("uwsgi", "uWSGI --ugreen", "peer", "uwsgi", uwsgi("python3,ugreen", "--http-socket", "--ugreen"), closes=True),
    Contender("uwsgi-router", "uWSGI --ugreen, --http", "peer", "uwsgi", uwsgi("python3,ugreen,http", "--http", "--http-keepalive", "--ugreen")),
    Contender("uwsgi-sync", "uWSGI, one request at a time", "peer", "uwsgi", uwsgi("python3", "--http-socket", cores=None), closes=True),
    Contender("uwsgi-http11", "uWSGI --http11-socket", "variant", "uwsgi", uwsgi("python3", "--http11-socket", cores=None)),
    Contender("uwsgi-http11-ugreen", "uWSGI --http11-socket --ugreen", "variant", "uwsgi", uwsgi("python3,ugreen", "--http11-socket", "--ugreen")),
    Contender("uwsgi-gevent", "uWSGI --gevent", "peer", "gevent", uwsgi("python3,gevent_python3", "--http-socket", cores="--gevent"), closes=True),
    Contender("gunicorn-gevent", "gunicorn -k gevent", "peer", "gevent", gunicorn("gevent")),
    Contender("gunicorn-eventlet", "gunicorn -k eventlet", "peer", "eventlet", gunicorn("eventlet")),
    Contender("kestrel", "Kestrel alone", "limit", "none", kestrel),
    Contender("nginx", "nginx, return 200", "limit", "none", None),
    # No server: the loop of bench/switching.
    Contender("greenlet", "greenlet, plain loop", "peer", "none", None),
    Contender("nginx-ugreen", "nginx, UGreen.Py", "ours", "ugreen", ugreen(front="--uwsgi-socket"), behind="include /etc/nginx/uwsgi_params; uwsgi_pass unix:{path};"),
    Contender("nginx-uwsgi", "nginx, uWSGI --ugreen", "peer", "uwsgi", uwsgi("python3,ugreen", "--uwsgi-socket", "--ugreen"),
              behind="include /etc/nginx/uwsgi_params; uwsgi_pass unix:{path};"),
    Contender("nginx-gunicorn", "nginx, gunicorn -k gevent", "peer", "gevent", gunicorn("gevent"),
              behind='proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://upstream;'),
]}


class Nginx:
    """nginx with one worker, its files in a folder of its own."""

    def __init__(self, location, upstream=""):
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="bench-run-")
        command = nginx.prepare(self._folder.name, self.port, location, BACKLOG, upstream)
        try:
            self.child = Child("nginx", command, [self.port])
        except Trouble:
            self._folder.cleanup()
            raise

    def stop(self):
        self.child.stop()
        self._folder.cleanup()


class Running:
    """A contender that serves an application, behind nginx where that is the contender. Use it as a context manager; a Trouble says why it cannot run."""

    def __init__(self, contender, app, cores, options=(), env=None):
        self.contender = contender
        self._child = self._nginx = self._folder = None
        try:
            path = ""
            if contender.behind:
                self._folder = tempfile.TemporaryDirectory(prefix="bench-run-")
                path = os.path.join(self._folder.name, "app.sock")
            if contender.command:
                self.port = free_port()
                address = f"unix:{path}" if contender.flavour == "gevent" else path
                command = [*contender.command(app, address if path else f"127.0.0.1:{self.port}", cores), *options]
                if not os.path.exists(command[0]) and os.path.isabs(command[0]):
                    raise Trouble(f"not there: {pathlib.Path(command[0]).relative_to(ROOT)}")
                self._child = Child(contender.name, command, [path or self.port], env)
            if contender.behind or not contender.command:
                location = contender.behind.format(path=path) if contender.behind else nginx.HELLO
                upstream = f"    upstream upstream {{ server unix:{path}; keepalive 64; }}" if "upstream" in location else ""
                self._nginx = Nginx(location, upstream)
                self.port = self._nginx.port
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()

    def wait(self):
        for child in self._children():
            child.wait()
        return self

    def _children(self):
        return [child for child in (self._child, self._nginx and self._nginx.child) if child]

    @property
    def pid(self):
        """The server's first process: nginx's where there is nothing else."""
        return (self._child or self._nginx.child).pid

    def cpu(self):
        """CPU seconds of the server."""
        return cpu_of(self.pid)

    def front_cpu(self):
        """CPU seconds of the nginx in front of it."""
        return cpu_of(self._nginx.child.pid) if self._child and self._nginx else 0.0

    def memory(self):
        """MiB of the server, without nginx in front of it."""
        return memory_of(self.pid)[0] / 2**20

    def why(self, settle=True):
        """What there is to say of it when something went wrong: how it ended, or nothing."""
        for child in self._children() if settle else ():
            child.settle()
        gone = [child for child in self._children() if child.ended]
        return f" ({gone[0].name}: {gone[0].why()})" if gone else ""

    def stop(self):
        for part in (self._nginx, self._child):
            if part:
                part.stop()
        if self._folder:
            self._folder.cleanup()
        self._child = self._nginx = self._folder = None
