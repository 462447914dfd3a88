"""The harness: real servers as child processes, clients, and a way for a test to decide what happens when.

A test file usually has one server for all its tests::

    import pytest
    from serving import Server, many

    @pytest.fixture(scope="module")
    def server():
        with Server("my_app", cores=30) as s:       # tests/py/apps/my_app.py, its callable `application`
            yield s

    def test_hello(server):
        answer = server.get("/hello?x=1")
        assert answer.status == 200 and answer.text == "hello" and answer.headers["Content-Type"] == "text/plain"

    def test_many(server):
        assert many(50, lambda i: server.get(f"/{i}").text) == [str(i) for i in range(50)]

Applications live in tests/py/apps, which is on the server's sys.path; the server's folder is the root of the repository, so ``tests.py.apps.my_app`` and
``examples.hello`` work too. Order between requests comes from Control, never from sleeping::

    def test_order(control):
        with Server("my_app", env=control.env) as server, background(server.get, "/park") as request:
            here = control.wait("middle")       # the application called checkpoint.reach("middle") and is parked there
            ...                                 # whatever shall happen meanwhile
            here.release("go on")               # reach() returns "go on"
            assert request.result(10).status == 200

Every wait here is bounded and says what it waited for. The environment variable UGREEN_PY names another command to start (words are split as a shell does). With
UGREEN_TEST_BLOCKING=off blocking calls hold up the worker in all servers whose test does not say otherwise (--ugreen-blocking=false); tests that need the contrary are marked green_waits.
"""

import atexit
import collections
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import shlex
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import textwrap
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
APPS = ROOT / "tests" / "py" / "apps"

#: Seconds that anything which should be immediate may take on a busy machine before it counts as hung.
PATIENCE = 30

#: Whether blocking calls wait green in the servers of this run.
GREEN_WAITS = {"": True, "on": True, "off": False}[os.environ.get("UGREEN_TEST_BLOCKING", "")]

#: (3, 11): of the Python that servers run, unless a test names another one: UGREEN_PYTHON if that is python3.N, else the distribution's, which also runs the tests.
PYTHON_VERSION = (3, int(named[1])) if (named := re.search(r"python3\.(\d+)$", os.environ.get("UGREEN_PYTHON", ""))) else sys.version_info[:2]

_live = set()

# Two test runs at the same time, or a test that seeds the common one, must not draw the same ports.
_dice = random.SystemRandom()

# The last servers that were started, ended or not, for reports.
_recent = collections.deque(maxlen=20)


def command():
    """The server's command line without options."""
    return shlex.split(os.environ.get("UGREEN_PY", "")) or [str(ROOT / "ugreen-py")]


def prepare():
    """Start the launcher once, so that it has installed and built what is missing."""
    done = subprocess.run([*command(), "--version"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1200, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command()} --version ended with {done.returncode}:\n{done.stdout}")


def live_servers():
    """Servers that were started and not yet stopped."""
    return list(_live)


def servers_since(moment):
    """Servers that run, or ran after that time.monotonic(), for reports."""
    return [s for s in _recent if s in _live or s.ended > moment]


def kill_leftovers():
    """End the servers that a failed test has left running."""
    for server in live_servers():
        server.kill()


atexit.register(kill_leftovers)


def free_port():
    """A TCP port that nobody uses, for what must be told its port before it binds it. Prefer Server, which lets the kernel choose.

    It is one that the kernel never chooses itself: of those, any other socket of the machine could be given the same one before it is bound.
    """
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    ports = range(max(1024, first - 20_000), first)
    for port in _dice.sample(ports, min(1000, len(ports))):
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("", port))
            return port
    raise AssertionError(f"no port below {first} is free")


def until(condition, what, timeout=PATIENCE, every=0.01):
    """Wait until condition() is true and return its value; ``what`` is for the error. For things that cannot tell us when they change (/proc, counters)."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {timeout} s for: {what}")
        time.sleep(every)


class Remote(Exception):
    """What code given to Server.run raised: ``kind`` is the name of its type, ``text`` its text, ``errno`` an OSError's number."""

    def __init__(self, answer):
        super().__init__(f"{answer['error']}: {answer['text']}")
        self.kind, self.text, self.errno = answer["error"], answer["text"], answer["errno"]


class Answer:
    """A response: status, reason, headers (an email.message.Message: case-insensitive, get_all()), body (bytes)."""

    def __init__(self, response):
        self.status, self.reason, self.headers, self.version = response.status, response.reason, response.headers, response.version
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        assert self.status == 200, f"{self.status} {self.reason}: {self.text[:2000]}"
        return json.loads(self.body)

    def __repr__(self):
        return f"<Answer {self.status} {self.body[:300]!r}>"


class Server:
    """A running server; use it as a context manager.

    app      module (``-w``), e.g. "my_app" in tests/py/apps or "pkg.mod:callable"; None: say it in ``options``
    cores    ``--async N`` (with ``--ugreen``); None: neither is given
    options  further options, a list of strings
    env      further environment variables; a value of None removes one
    cwd      working directory, the repository's root by default
    http     value of ``--http``; None: not given. Port 0 (default) lets the kernel choose; ``port`` has the result
    apps     False keeps tests/py/apps off the server's sys.path
    ready    False: return from __enter__ without waiting for "listening on" (for servers that shall not start)
    """

    def __init__(self, app=None, cores=30, options=(), env=None, cwd=None, http="127.0.0.1:0", apps=True, ready=True):
        self.app = app
        self.args = command()
        if app is not None:
            self.args += ["-w", app]
        if cores is not None:
            self.args += ["--async", str(cores), "--ugreen"]
        if http is not None:
            self.args += ["--http", http]
        if apps:
            self.args += ["--pythonpath", str(APPS)]
        self.args += [str(o) for o in options]
        self.env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        if not GREEN_WAITS:
            # As a variable, so that the command line of a test is what the test wrote; an option there is stronger.
            self.env["UWSGI_UGREEN_BLOCKING"] = "false"
        for name, value in (env or {}).items():
            if value is None:
                self.env.pop(name, None)
            else:
                self.env[name] = str(value)
        self.cwd = cwd or ROOT
        self.host, self.port = None, None
        self._ready = ready
        self._process = None
        self._chunks = []
        self._changed = threading.Condition()
        self._log_ended = False
        #: time.monotonic() of when it was seen to have ended; 0 while it was not started.
        self.ended = 0

    # :: Life

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.stop()
        else:
            # The first failure is the one to report; a server that does not stop either must not hide it.
            self.kill()

    def start(self):
        """Start it and wait until it listens. Raises with the log when it ends before or takes longer than PATIENCE."""
        self._process = subprocess.Popen(self.args, cwd=self.cwd, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        _live.add(self)
        _recent.append(self)
        threading.Thread(target=self._collect, name=f"log of {self.pid}", daemon=True).start()
        if self._ready:
            try:
                self.wait_ready()
            except BaseException:
                self.kill()
                raise

    def wait_ready(self):
        found = self.wait_log(r"listening on http://(\S+):(\d+)")
        self.host, self.port = found[1].strip("[]"), int(found[2])

    @property
    def pid(self):
        return self._process.pid

    @property
    def running(self):
        return self._process.poll() is None

    @property
    def exit_code(self):
        """None while it runs; negative: the number of the signal that killed it."""
        return self._process.poll()

    def send_signal(self, number):
        self._process.send_signal(number)

    def wait_exit(self, timeout=PATIENCE):
        """Wait until the process has ended by itself and its log is complete; returns the exit code."""
        code = self._process.wait(timeout)
        with self._changed:
            assert self._changed.wait_for(lambda: self._log_ended, timeout), "the server ended, but something still holds its log open"
        self._forget()
        return code

    def stop(self, timeout=PATIENCE):
        """SIGTERM, then wait. Fails when it does not end in time (and kills it) or ends with another code than 0; nothing happens when wait_exit() was called."""
        if self not in _live:
            return
        if not self.running:
            code = self.wait_exit()
            raise AssertionError(f"the server had ended by itself, with exit code {code}:\n{self.log[-8000:]}")
        self.send_signal(signal.SIGTERM)
        try:
            code = self.wait_exit(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not stop within {timeout} s after SIGTERM:\n{self.log[-8000:]}") from None
        assert code == 0, f"the server's exit code after SIGTERM is {code}:\n{self.log[-8000:]}"

    def kill(self):
        """SIGKILL, if it still runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
        self._forget()

    def _forget(self):
        _live.discard(self)
        self.ended = time.monotonic()

    # :: Log

    def _collect(self):
        with self._process.stdout as stream:
            for chunk in iter(lambda: os.read(stream.fileno(), 65536), b""):
                with self._changed:
                    self._chunks.append(chunk)
                    self._changed.notify_all()
        with self._changed:
            self._log_ended = True
            self._changed.notify_all()

    @property
    def log(self):
        """All that it has written to stdout and stderr so far."""
        with self._changed:
            self._chunks[:] = [b"".join(self._chunks)]
            return self._chunks[0].decode("utf-8", "replace")

    @property
    def warnings(self):
        """The lines of the log that are warnings, without the one about root: containers, where the tests run as root, say nothing about the server."""
        return [line for line in self.log.splitlines() if " warn " in line and "running as root" not in line]

    def wait_log(self, pattern, timeout=PATIENCE, start=0):
        """Wait for a regular expression in the log, from character ``start`` on; returns the match. ``start=len(server.log)`` taken before means: from now on."""
        end = time.monotonic() + timeout
        expression = re.compile(pattern, re.MULTILINE)
        with self._changed:
            while True:
                found = expression.search(self.log, start)
                if found:
                    return found
                assert not self._log_ended, f"the server ended (exit code {self._process.wait(PATIENCE)}) before it logged {pattern!r}:\n{self.log[-8000:]}"
                left = end - time.monotonic()
                assert left > 0, f"nothing in the log matched {pattern!r} within {timeout} s:\n{self.log[-8000:]}"
                self._changed.wait(left)

    # :: Clients

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    def client(self, timeout=PATIENCE):
        """A keep-alive http.client.HTTPConnection; close it yourself."""
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def request(self, method, path, body=None, headers=None, timeout=PATIENCE):
        """One request on a connection of its own."""
        with contextlib.closing(self.client(timeout)) as connection:
            connection.request(method, path, body=body, headers={"Connection": "close", **(headers or {})})
            return Answer(connection.getresponse())

    def get(self, path="/", headers=None, timeout=PATIENCE):
        return self.request("GET", path, headers=headers, timeout=timeout)

    def post(self, path, body, headers=None, timeout=PATIENCE):
        return self.request("POST", path, body, headers, timeout)

    def run(self, code, timeout=PATIENCE, **values):
        """Run the body of a function on a green thread and return its result. For servers whose app is "run_code"; see there for the names that the code finds.

        ``values`` become names, too. What the code raises is raised here as Remote.
        """
        body = json.dumps({"code": textwrap.dedent(code), "values": values})
        answer = self.post("/", body, timeout=timeout).json
        if "error" in answer:
            raise Remote(answer)
        return answer["result"]

    def connect(self, timeout=PATIENCE, receive_buffer=None):
        """A connected TCP socket, for bytes on the wire. A small receive_buffer makes a slow client that the server notices early."""
        s = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        try:
            if receive_buffer:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            s.settimeout(timeout)
            s.connect((self.host, self.port))
        except BaseException:
            s.close()
            raise
        return s

    def raw(self, data, timeout=PATIENCE):
        """Send bytes, return all bytes that come until the server closes (so ask for ``Connection: close``)."""
        with self.connect(timeout) as s:
            s.sendall(data)
            return read_all(s)


def get_bytes(path, extra=""):
    """The bytes of a minimal GET request, for raw sockets."""
    return f"GET {path} HTTP/1.1\r\nHost: test\r\n{extra}\r\n".encode("latin-1")


def read_all(s):
    """All bytes until the other side closes."""
    return b"".join(iter(lambda: s.recv(65536), b""))


def read_until(s, marker):
    """Bytes up to and including the marker (and perhaps more); fails when the connection ends before."""
    data = b""
    while marker not in data:
        piece = s.recv(65536)
        assert piece, f"the connection ended before {marker!r} came: {data[-2000:]!r}"
        data += piece
    return data


def abort(s):
    """Close a socket with a reset instead of an orderly end, like a client that crashed."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def many(n, fn, timeout=120):
    """Run fn(0) … fn(n-1) in n threads that start together; their results in order, or the first exception."""
    barrier = threading.Barrier(n)

    def run(i):
        barrier.wait(PATIENCE)
        return fn(i)

    pool = concurrent.futures.ThreadPoolExecutor(n)
    try:
        futures = [pool.submit(run, i) for i in range(n)]
        done, _ = concurrent.futures.wait(futures, timeout, concurrent.futures.FIRST_EXCEPTION)
        for future in done:
            future.result()
        assert len(done) == n, f"{n - len(done)} of {n} client threads still ran after {timeout} s"
        return [f.result() for f in futures]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class Probe:
    """Asks for a path again and again during a ``with`` block, on one connection: while the worker is held up, it gets no answer."""

    def __init__(self, port, path, host="127.0.0.1"):
        self._address, self._path = (host, port), path
        self._changed, self._ends = threading.Condition(), False
        self._times, self._error = [], None

    def __enter__(self):
        self._thread = threading.Thread(target=self._ask, name="probe", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._ends = True
        self._thread.join(PATIENCE)

    def wait_for(self, more):
        """Wait for so many answers more."""
        with self._changed:
            wanted = len(self._times) + more
            assert self._changed.wait_for(lambda: self._error or len(self._times) >= wanted, PATIENCE), f"{self._path} was answered {len(self._times)} times"

    def check(self, limit):
        """Half of the answers took less than so many seconds; single ones may have been slow on a busy machine."""
        assert self._error is None, self._error
        assert len(self._times) >= 2, "hardly anything was answered meanwhile"
        assert sorted(self._times)[len(self._times) // 2] < limit, f"{sorted(self._times)}"

    def _ask(self):
        connection = http.client.HTTPConnection(*self._address, timeout=PATIENCE)
        try:
            while not self._ends:
                began = time.monotonic()
                connection.request("GET", self._path)
                answer = connection.getresponse()
                assert answer.status == 200 and answer.read()
                with self._changed:
                    self._times.append(time.monotonic() - began)
                    self._changed.notify_all()
                # Not so often that it takes the time of those that it looks after.
                time.sleep(0.02)
        except Exception as error:
            self._error = error
        finally:
            connection.close()


@contextlib.contextmanager
def background(fn, *args, **kwargs):
    """Run fn in a thread; gives a Future (``result(timeout)``). At the end of the block it must have ended, or end within PATIENCE."""
    future = concurrent.futures.Future()

    def run():
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    yield future
    concurrent.futures.wait([future], PATIENCE)
    assert future.done(), f"{fn} still runs"


class Control:
    """The test's side of tests/py/apps/checkpoint.py: a Unix socket to which green threads connect when they reach a named point, to be parked there until released."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="ugreen-test-")
        self.path = os.path.join(self._folder.name, "control")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(4096)
        self._changed = threading.Condition()
        self._arrived = {}
        self._all = []
        #: Environment for the Server, so that its application finds us.
        self.env = {"UGREEN_TEST_CONTROL": self.path}

    def __enter__(self):
        threading.Thread(target=self._accept, name="control", daemon=True).start()
        return self

    def __exit__(self, *exc):
        # Wakes accept(); closing alone would not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._changed:
            for point in self._all:
                point.close()
        self._folder.cleanup()

    def _accept(self):
        while True:
            try:
                s, _ = self._listener.accept()
            except OSError:
                return
            s.settimeout(PATIENCE)
            line = b""
            while not line.endswith(b"\n"):
                piece = s.recv(65536)
                if not piece:
                    break
                line += piece
            if not line:
                s.close()
                continue
            point = Point(s, json.loads(line))
            with self._changed:
                self._arrived.setdefault(point.name, []).append(point)
                self._all.append(point)
                self._changed.notify_all()

    def wait(self, name, timeout=PATIENCE):
        """The next green thread that reaches this point (or reached it before and was not taken yet)."""
        return self.wait_all(name, 1, timeout)[0]

    def wait_all(self, name, n, timeout=PATIENCE):
        """The next n green threads at this point, in the order of their arrival."""
        with self._changed:
            here = self._changed.wait_for(lambda: len(self._arrived.get(name, ())) >= n, timeout)
            points = self._arrived.setdefault(name, [])
            assert here, f"{len(points)} of {n} green threads reached {name!r} within {timeout} s"
            taken, self._arrived[name] = points[:n], points[n:]
            return taken

    def drain(self, name):
        """All green threads that have reached this point and were not taken; for tests that do not care how many."""
        with self._changed:
            return self._arrived.pop(name, [])


class Point:
    """A green thread that is parked at a checkpoint. ``data``: what the application told with reach()."""

    def __init__(self, s, message):
        self._socket = s
        self.name, self.data = message["name"], message["data"]

    def release(self, text=""):
        """Let it go on; reach() returns the text."""
        self._socket.sendall(text.encode() + b"\n")

    def close(self):
        """Let it go on with an EOFError."""
        self._socket.close()
