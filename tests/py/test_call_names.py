"""dump(), the warning about a hub that hangs, and what the master tells of a dead worker name the call that a request waits in, and what it leads to."""

import http.client
import os
import pathlib
import re
import signal

import pytest

from masters import Master
from serving import Server, background, until

# What waits, and how dump() names it. "free" ends it.
WAITS = {
    "tcp": ("a = socket.create_server(('127.0.0.1', 0))\nb = socket.create_connection(a.getsockname())\nc = a.accept()[0]\nshared.end = lambda: c.send(b'x')\nb.recv(1)", r"recv on fd \d+ \(127\.0\.0\.1:\d+\)"),
    "tcp6": ("a = socket.create_server(('::1', 0), family=socket.AF_INET6)\nb = socket.create_connection(a.getsockname()[:2])\nc = a.accept()[0]\nshared.end = lambda: c.send(b'x')\nb.recv(1)", r"recv on fd \d+ \(\[::1\]:\d+\)"),
    "listener": ("a = socket.create_server(('127.0.0.1', 0))\nshared.end = lambda: socket.create_connection(a.getsockname())\na.accept()", r"accept4? on fd \d+ \(127\.0\.0\.1:\d+\)"),
    "unix": ("a = socket.socket(socket.AF_UNIX)\na.bind('\\0ugreen-name')\na.listen()\nb = socket.socket(socket.AF_UNIX)\nb.connect('\\0ugreen-name')\nc = a.accept()[0]\nshared.end = lambda: c.send(b'x')\nb.recv(1)",
             r"recv on fd \d+ \(@ugreen-name\)"),
    "pair": ("a, b = socket.socketpair()\nshared.end = lambda: b.send(b'x')\na.recv(1)", r"recv on fd \d+ \(socket\)"),
    "pipe": ("a, b = os.pipe()\nshared.end = lambda: os.write(b, b'x')\nos.read(a, 1)", r"read on fd \d+ \(pipe\)"),
    "poll": ("import select\na, b = os.pipe()\nshared.end = lambda: os.write(b, b'x')\np = select.poll()\np.register(a, 1)\np.poll()", r"poll on fd \d+ \(pipe\)"),
    "connect": ("import tempfile\nd = tempfile.TemporaryDirectory()\na = socket.socket(socket.AF_UNIX)\na.bind(d.name + '/s')\na.listen(0)\nb = [socket.socket(socket.AF_UNIX) for _ in range(2)]\nb[0].connect(d.name + '/s')\n"
                "shared.end = lambda: a.accept()\nb[1].connect(d.name + '/s')", r"connect on fd \d+ \(/\S+/s\)"),
    "process": ("pid = os.posix_spawn('/bin/sleep', ['sleep', '60'], {})\nshared.end = lambda: os.kill(pid, 9)\nos.waitpid(pid, 0)", r"wait(pid|4) for process \d+"),
}


@pytest.fixture(scope="module")
def server():
    with Server("run_code", cores=10) as s:
        yield s


@pytest.mark.parametrize("way", WAITS)
def test_dump(server, way):
    code, expected = WAITS[way]
    server.run("shared.end = None")
    with background(server.run, code) as request:
        until(lambda: re.search(f"POST /: in {expected}\n", server.run("import ugreen\nreturn ugreen.dump()")), expected)
        server.run("shared.end()")
        request.result(30)


def test_a_closed_descriptor_has_no_name(server):
    with background(server.run, "a, b = os.pipe()\nshared.ends = a, b\nos.read(a, 1)") as request:
        until(lambda: "in read on fd" in server.run("import ugreen\nreturn ugreen.dump()"), "it reads")
        server.run("os.write(shared.ends[1], b'x')")
        request.result(30)


# A system call that is made directly blocks the hub.
DIRECT = "import ctypes\na, b = os.pipe()\nthreading.Timer(6, os.write, (b, b'x')).start()\nctypes.CDLL(None).syscall(0, a, ctypes.create_string_buffer(1), 1)"


def until_it_hangs(pid):
    """The hub thread is in read()."""
    def hangs():
        return any((task / "comm").read_text() == "ugreen hub\n" and (task / "syscall").read_text().startswith("0 ") for task in pathlib.Path(f"/proc/{pid}/task").iterdir())

    until(hangs, "read in the hub thread")


def test_a_hub_that_hangs_in_a_system_call(server):
    with background(server.run, DIRECT) as hangs:
        until_it_hangs(server.pid)
        other = server.run("return 1")
        server.wait_log(r"POST / on core \d+ holds up all other requests of this worker: it has kept the hub for .* s \(.*\); it is in read on fd \d+ \(pipe\), here:\n(?s:.*)in body\n")
        hangs.result(30)
        assert other == 1


def lost(server, code):
    with pytest.raises((http.client.HTTPException, OSError)):
        server.run(code)


def test_the_master_tells_it_of_a_worker_that_died():
    with Master("run_code", 1) as server:
        pid = server.run("return os.getpid()")
        with background(lost, server, "a, b = os.pipe()\nshared.ends = a, b\nos.read(a, 1)") as request:
            # On the scoreboard after some seconds; the worker must not end before.
            server.run("time.sleep(4)")
            os.kill(pid, signal.SIGKILL)
            server.wait_log(r"worker 1 \(pid \d+\) died: .*it was running: POST / \(core \d+, [\d.]+ s, in read on fd \d+ \(pipe\)\)")
            request.result(30)


def test_the_master_tells_it_of_a_worker_that_hangs():
    with Master("run_code", 1, options=["--harakiri", 5]) as server:
        pid = server.run("return os.getpid()")
        with background(lost, server, DIRECT.replace("Timer(6", "Timer(60")) as hangs:
            until_it_hangs(pid)
            with background(lost, server, "return 1") as other:
                server.wait_log(r"POST / \(core \d+, [\d.]+ s, in read on fd \d+ \(pipe\)\)")
                hangs.result(30)
                other.result(30)
