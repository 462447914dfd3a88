"""The servers of ``bench/parked``, each with what its own documentation advises for many clients that wait, and what /proc says of them."""

import resource
import socket
import subprocess
import tempfile
import time

from bench.common.machine import PYTHON, ROOT
from bench.common.processes import cpu_of, free_port, memory_of

START_TIMEOUT = 60

# Descriptors of a server that are not clients.
OTHER_FILES = 256

# Requests beside the listeners: the one that publishes, those that ask for a page.
OTHER_REQUESTS = 16


class Server:
    """A server process with its children."""

    name = ""
    #: Descriptors that one listener takes.
    files_each = 1

    def __init__(self, listeners):
        self.port = free_port()
        self._log = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(self.command(listeners), cwd=ROOT, stdout=self._log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        end = time.monotonic() + START_TIMEOUT
        while True:
            if self._process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{self.name} did not start:\n{self.log}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.1)

    def command(self, listeners):
        raise NotImplementedError

    @classmethod
    def most(cls, listeners):
        """As many listeners as the limit of file descriptors allows, at most the number asked for."""
        return min(listeners, (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - OTHER_FILES) // cls.files_each)

    @property
    def log(self):
        self._log.seek(0)
        return self._log.read()[-4000:]

    @property
    def ended(self):
        return self._process.poll() is not None

    def memory(self):
        """See memory_of()."""
        return memory_of(self._process.pid)

    def cpu(self):
        """Seconds of CPU that all its processes have used."""
        return cpu_of(self._process.pid)

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class UGreenPy(Server):
    name = "UGreen.Py"

    def command(self, listeners):
        cores = listeners + OTHER_REQUESTS
        # All stacks lie in 2 GiB; 256 pages is the least that the server takes by itself, and more than 2,000 cores leave less. By itself it keeps half of the
        # descriptors for the application, which needs none here.
        pages = min(256, (0x7FFFFFFF - (9 << 20)) // cores // 4096 - 1)
        return [
            f"{ROOT}/ugreen-py", "-w", "bench.parking.ugreen_app", "--http", f"127.0.0.1:{self.port}", "--async", str(cores), "--ugreen-stacksize", str(pages),
            "--max-connections", str(cores + OTHER_FILES // 2), "--disable-logging",
        ]


class Uwsgi(Server):
    name = "uWSGI --ugreen"
    files_each = 2

    def command(self, listeners):
        return [
            "uwsgi", "--plugin", "python3", "--plugin", "ugreen", "--http-socket", f"127.0.0.1:{self.port}", "--wsgi-file", "bench/parking/uwsgi_app.py", "--need-app",
            "--async", str(listeners + OTHER_REQUESTS), "--ugreen", "--disable-logging", "--die-on-term",
        ]


class Gunicorn(Server):
    name = "gunicorn -k gevent"

    def command(self, listeners):
        return [
            "gunicorn", "-k", "gevent", "-w", "1", "--worker-connections", str(listeners + OTHER_REQUESTS), "-b", f"127.0.0.1:{self.port}", "bench.parking.gevent_app:application",
        ]


class Pywsgi(Server):
    name = "gevent.pywsgi"

    def command(self, listeners):
        return [PYTHON, "bench/parking/gevent_app.py", str(self.port)]
