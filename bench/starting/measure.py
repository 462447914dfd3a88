"""From exec to the first 200: start a server, ask it as soon as it can be asked, end it.

``first_200(command, port, env)`` is for other commands of this folder; ``start()`` says more about the same.
"""

import contextlib
import dataclasses
import os
import selectors
import signal
import socket
import subprocess
import time

from bench.common.machine import ROOT

#: Seconds between two attempts to connect: what a figure may be too large by.
ATTEMPTS = 0.001

#: Seconds after which a server that has not answered counts as broken, and those that it may take to end.
PATIENCE = 60
END_PATIENCE = 15


@dataclasses.dataclass
class Start:
    """What was seen of one start; all times are seconds since just before the process was made."""

    seconds: float = 0.0  #: the first bytes of a response with status 200
    accepted: float = 0.0  #: the first connection that was accepted
    lines: list = dataclasses.field(default_factory=list)  #: (time, text) of each line that it printed


class NotStarted(Exception):
    """The server ended or did not answer; the text says what it printed."""


def first_200(command, port, env=None):
    """Seconds from exec to the first 200 for GET / on this port of 127.0.0.1, asked for every millisecond; the server has ended when this returns."""
    return start(command, port, env).seconds


def start(command, port, env=None):
    """As ``first_200``, with all that was seen."""
    words = [str(word).replace("{port}", str(port)) for word in command]
    began = time.perf_counter()
    # A session of its own: at the end nothing of it is left, whatever it has started.
    process = subprocess.Popen(words, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        with _Watch(process, port, began) as watch:
            return watch.until_200()
    finally:
        _end(process)


class _Watch:
    """Looks at what a server prints and at its port, both without ever waiting for only one of them."""

    def __init__(self, process, port, began):
        self._process, self._port, self._began = process, port, began
        self._seen, self._text, self._ended = Start(), b"", False
        self._connection = None
        self._selector = selectors.DefaultSelector()
        os.set_blocking(process.stdout.fileno(), False)
        self._selector.register(process.stdout, selectors.EVENT_READ)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._drop()
        self._selector.close()

    def until_200(self):
        while self._now() < PATIENCE:
            if self._connection is None:
                self._connect()
            for key, _ in self._selector.select(ATTEMPTS):
                if key.fileobj is self._process.stdout:
                    self._read_output()
                elif self._answered():
                    self._seen.seconds = self._now()
                    self._read_output()
                    return self._seen
            if _has_ended(self._process):
                break
        self._read_output()
        raise NotStarted("no 200:\n" + "".join(f"{at * 1e3:6.0f} ms  {line}\n" for at, line in self._seen.lines))

    def _now(self):
        return time.perf_counter() - self._began

    def _connect(self):
        try:
            connection = socket.create_connection(("127.0.0.1", self._port), 1)
        except OSError:
            return
        self._seen.accepted = self._seen.accepted or self._now()
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        connection.setblocking(False)
        self._connection = connection
        self._selector.register(connection, selectors.EVENT_READ)

    def _answered(self):
        try:
            head = self._connection.recv(65536)
        except OSError:
            head = b""
        if head[8:13] == b" 200 ":
            return True
        # Refused, or busy with its start: asked again.
        self._drop()
        return False

    def _drop(self):
        if self._connection is not None:
            self._selector.unregister(self._connection)
            self._connection.close()
            self._connection = None

    def _read_output(self):
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._process.stdout.fileno(), 65536)
            if not data and not self._ended:
                self._ended = True
                self._selector.unregister(self._process.stdout)
            *lines, self._text = (self._text + data).split(b"\n")
            self._seen.lines += [(self._now(), line.decode(errors="replace")) for line in lines]


def _has_ended(process):
    """Without reaping it: until that is done nobody else can get its number, so its group can be signalled."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end(process):
    os.kill(process.pid, signal.SIGTERM)
    end = time.monotonic() + END_PATIENCE
    while not _has_ended(process) and time.monotonic() < end:
        with contextlib.suppress(BlockingIOError):
            os.read(process.stdout.fileno(), 65536)
        time.sleep(ATTEMPTS)
    # Its group, also where it has ended: its children may not have.
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
