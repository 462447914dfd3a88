"""What an application does to the descriptors and the memory that its worker shares with the master: that worker is replaced, and the server goes on."""

import contextlib
import functools
import http.client
import os
import pathlib
import re
import signal
import textwrap
import time

import pytest

from masters import Master, is_alive, status_of
from serving import PATIENCE, Remote, background, many, until

pytestmark = pytest.mark.waiting

#: ``channel`` is a copy of the worker's socket to its master, ``number`` that socket.
FIND = """
def find():
    for fd in map(int, os.listdir("/proc/self/fd")):
        try:
            with socket.socket(fileno=os.dup(fd)) as copy:
                if copy.family == socket.AF_UNIX and copy.type == socket.SOCK_SEQPACKET:
                    return fd
        except OSError:
            pass
number = find()
channel = socket.socket(fileno=os.dup(number))
"""

GARBAGE = {
    "a line of words": (b"signal a b\n", r"of a kind that there is not \(115\)"),
    "binary": (bytes(range(255, 0, -1)), r"of a kind that there is not \(255\)"),
    "zeros": (b"\0" * 64, r"of a kind that there is not \(0\)"),
    "too long": (b"x" * 50_000, r"of more than 4096 bytes"),
    "a line that never ends": (b"ugreen-py: " + b"x" * 20_000, r"of more than 4096 bytes"),
    "too short": (b"\x08\x01", r"of kind 8 with 2 bytes"),
    "a huge number": (b"\x08" + b"9" * 400, r"of kind 8 with 401 bytes"),
    "a worker that there is not": (b"\x08\x01\xff\xff", r"with a signal for worker 65535 of 2"),
    "a negative number": (b"\x08\xff\xfe\xff", r"with a signal for worker 65534 of 2"),
    "ready again": (b"\x013.11", r"that it serves, for the second time"),
    "a reason with an escape": (b"\x05\x1b[2J", r"of which there is a control character \(U\+001B\) in its text"),
    "a reason with a NUL": (b"\x05a\0b", r"of which there is a control character \(U\+0000\) in its text"),
    "a reason that is no UTF-8": (b"\x05\xff\xfe", r"of which its text is not UTF-8"),
}


@pytest.fixture(scope="module")
def server():
    with Master("run_code", 2, options=["--min-worker-lifetime", 0]) as s:
        yield s


def with_channel(server, code, **values):
    """Runs code in a worker that has its end of the channel as ``channel``."""
    return server.run(FIND + textwrap.dedent(code), **values)


def tell(server, data):
    """Has a worker say these bytes; returns its pid."""
    return with_channel(server, "channel.send(bytes.fromhex(data))\nreturn os.getpid()", data=data.hex())


def quietly(call):
    """Its result; None when the worker that was asked has ended or hangs, which is its own affair."""
    try:
        return call()
    except (OSError, http.client.HTTPException, Remote):
        return None


def goes_on(server):
    assert server.running and many(6, lambda i: server.run("return 1")) == [1] * 6, server.log[-8000:]


@pytest.mark.parametrize("name", GARBAGE)
def test_what_is_wrong_costs_that_worker_its_channel(server, name):
    data, told = GARBAGE[name]
    start = len(server.log)
    pid = tell(server, data)
    server.wait_log(rf"error.* worker \d \(pid {pid}\) has broken its channel to the master: it sent a message {told}; nothing more is heard from it, and it is replaced", start=start)
    until(lambda: not is_alive(pid), "it is replaced")
    assert len(server.wait_workers(2, without=[pid])) == 2
    assert len(re.findall("has broken its channel", server.log[start:])) == 1 and "internal error" not in server.log
    goes_on(server)


def test_nothing_is_heard_behind_it(server):
    start = len(server.log)
    pid = with_channel(server, """
        channel.send(b"nonsense")
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                channel.send(b"\\x07stop, all of you")
            except BrokenPipeError:
                return os.getpid()
            except BlockingIOError:
                pass
    """)
    assert pid
    until(lambda: not is_alive(pid), "it is replaced")
    server.wait_workers(2, without=[pid])
    goes_on(server)
    assert "stop, all of you" not in server.log[start:]


def test_descriptors_that_are_sent_along_are_not_kept(server):
    before = len(os.listdir(f"/proc/{server.pid}/fd"))
    pid = with_channel(server, """
        socket.send_fds(channel, [b"\\x08\\x01\\x00\\x00"], [0, 1, 2])
        socket.send_fds(channel, [b"nonsense"], [0, 1, 2])
        return os.getpid()
    """)
    until(lambda: not is_alive(pid), "it is replaced")
    server.wait_workers(2, without=[pid])
    until(lambda: len(os.listdir(f"/proc/{server.pid}/fd")) <= before, "the master has as many descriptors as before")


def test_one_that_is_closed_is_missed(server):
    start = len(server.log)
    pid = with_channel(server, "channel.shutdown(socket.SHUT_WR)\nreturn os.getpid()")
    server.wait_log(rf"worker \d \(pid {pid}\) has broken its channel to the master: it has closed it; ", start=start)
    until(lambda: not is_alive(pid), "it is replaced")
    server.wait_workers(2, without=[pid])
    goes_on(server)


def test_who_says_it_before_it_serves_cannot_start(tmp_path):
    (tmp_path / "early_app.py").write_text("""
import os, socket
for fd in map(int, os.listdir("/proc/self/fd")):
    try:
        with socket.socket(fileno=os.dup(fd)) as s:
            if s.type == socket.SOCK_SEQPACKET:
                s.send(b"ready\\n")
    except OSError:
        pass
import time
time.sleep(1000)
""")
    with Master("early_app", 2, options=["--pythonpath", tmp_path], ready=False) as server:
        assert server.wait_exit() == 1, server.log
        assert "has broken its channel to the master: it sent a message of a kind that there is not (114); nothing more is heard from it, and it is killed" in server.log
        server.assert_nothing_left()


def test_a_flood_leaves_the_master_its_time():
    """Valid messages without end: the master hears a bounded number of them, does everything else meanwhile, and its memory stays as it is."""
    code = """
        end = time.monotonic() + 600
        while time.monotonic() < end:
            try:
                channel.send(b"\\x08\\x07\\x00\\x00")
            except BlockingIOError:
                uwsgi.suspend()
    """
    with Master("run_code", 2) as server, background(pytest.raises, (OSError, http.client.HTTPException), with_channel, server, code) as flood:
        server.wait_workers(2)
        cpu = lambda: sum(map(int, status_of(server.pid)[11:13])) / os.sysconf("SC_CLK_TCK")
        resident = lambda: int(pathlib.Path(f"/proc/{server.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        begun, before, size = time.monotonic(), cpu(), resident()
        goes_on(server)
        until(lambda: time.monotonic() > begun + 4, "some time is over")
        share = (cpu() - before) / (time.monotonic() - begun)
        assert share < 0.5, f"the master takes {share:.2f} of a CPU"
        assert resident() < size + (32 << 20)
        start = len(server.log)
        for pid in server.workers().values():
            os.kill(pid, signal.SIGKILL)
        server.wait_log(r"worker 2 \(pid \d+\) serves", start=start)
        assert flood.result(PATIENCE)


def test_a_worker_that_does_not_listen_holds_up_nobody():
    """It has stopped, and the other one raises more signals than its socket takes."""
    with Master("run_code", 2) as server:
        stopped = server.workers()[2]
        os.kill(stopped, signal.SIGSTOP)
        try:
            # The kernel may give a connection to the one that has stopped.
            send = functools.partial(server.run, "import _ugreen\nfor i in range(3000): _ugreen.signal_workers(i % 256, 0)\nreturn True", timeout=2)
            until(lambda: quietly(send), "the other one has raised them")
            start = len(server.log)
            os.kill(server.workers()[1], signal.SIGKILL)
            server.wait_log(r"worker 1 \(pid \d+\) serves", start=start)
        finally:
            os.kill(stopped, signal.SIGCONT)
        goes_on(server)


def test_scribbling_over_the_scoreboard():
    code = """
        import random
        region = next(line.split()[0] for line in open("/proc/self/maps") if "ugreen-scoreboard" in line)
        low, high = (int(end, 16) for end in region.split("-"))
        with open("/proc/self/mem", "r+b", buffering=0) as memory:
            memory.seek(low)
            memory.write(random.randbytes(high - low))
        return os.getpid()
    """
    with Master("run_code", 2, options=["--harakiri", 60, "--cheaper", 1, "--cheaper-initial", 2, "--reload-on-rss", 4000]) as server:
        for _ in range(3):
            pid = quietly(lambda: server.run(code))
            if pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                until(lambda: not is_alive(pid), "it is gone")
            until(lambda: quietly(lambda: server.run("return 1", timeout=5)), "it serves")
        assert server.running and "internal error" not in server.log, server.log[-8000:]
        hup = len(server.log)
        server.send_signal(signal.SIGHUP)
        server.wait_log("reload: done", start=hup)
        goes_on(server)


def test_the_scoreboard_cannot_be_cut():
    with Master("run_code", 2) as server:
        refused = server.run("""
            region = next(line.split()[0] for line in open("/proc/self/maps") if "ugreen-scoreboard" in line)
            fd = os.open(f"/proc/self/map_files/{region}", os.O_RDWR)
            try:
                os.ftruncate(fd, 0)
            except PermissionError as error:
                return str(error)
            finally:
                os.close(fd)
        """)
        assert "not permitted" in refused
        goes_on(server)


def test_no_small_descriptor_leads_to_the_master(server):
    """A program that closes all that it has, up to some number, does not cut its worker off, and what it starts inherits nothing."""
    fd, is_inherited, boards = with_channel(server, """
        boards = [fd for fd in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + fd) and "scoreboard" in os.readlink("/proc/self/fd/" + fd)]
        return number, os.get_inheritable(number), boards
    """)
    assert fd >= 1024 and not is_inherited and boards == []
