"""Children of requests, POSIX signals of Python's, and a hub that hangs (docs/adr/0037)."""

import http.client
import json
import os
import pathlib
import re
import signal
import ssl
import time

import pytest
from fronts import certificate
from masters import Master
from serving import PATIENCE, Server, background, until

pytestmark = pytest.mark.waiting

#: What an ordinary child of Python's does with signals: SIGPIPE and SIGXFSZ are ignored there, or the process was started with what else is.
SIGUSR1, SIGTERM, SIGINT, SIGALRM = (1 << (number - 1) for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGALRM))
RUNTIMES = sum(1 << (number - 1) for number in (signal.SIGSEGV, signal.SIGFPE, signal.SIGILL, signal.SIGBUS, signal.SIGTRAP, signal.SIGABRT, signal.SIGQUIT, signal.SIGCONT, 34))


@pytest.fixture(scope="module", params=["direct", "posix"])
def server(request):
    with Server("processes", cores=20, options=["--ugreen-switch", request.param]) as s:
        yield s


@pytest.fixture(scope="module")
def plain():
    with Server("processes", cores=20) as s:
        yield s


def test_a_child_has_its_own_signals(server):
    status = server.get("/status").json
    assert status["SigBlk"] == 0
    assert status["SigCgt"] & RUNTIMES == 0, f"{status['SigCgt']:x}"
    # What the application has set stays.
    assert status["SigCgt"] & (SIGUSR1 | SIGTERM) == SIGUSR1
    interrupt, terminate = server.get("/handlers").json
    assert "default_int_handler" in interrupt or "SIG_IGN" in interrupt
    assert terminate == "Handlers.SIG_DFL" or terminate == "0"


def test_a_child_has_no_descriptor_of_the_servers(server):
    own, child = server.get("/own_descriptors").json, server.get("/descriptors").json
    kept = {fd: link for fd, link in child.items() if int(fd) > 2}
    # The pipe that the test has made, and what was handed to the server by whoever started it.
    mine = {fd: link for fd, link in kept.items() if not (fd in own and os.path.exists(f"/proc/self/fd/{fd}") and os.get_inheritable(int(fd)))}
    assert not [link for link in mine.values() if link.startswith(("socket:", "anon_inode:", "/memfd:")) or link.endswith((".dll", ".so"))], mine
    assert len([link for link in mine.values() if link.startswith("pipe:")]) <= 2, mine


def test_a_child_has_no_connection_with_tls():
    with Server("processes", options=["--https", ",".join(("127.0.0.1:0", *certificate()))]) as server:
        port = int(re.search(r"https://127\.0\.0\.1:(\d+)", server.log)[1])
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=PATIENCE, context=ssl._create_unverified_context())
        connection.request("GET", "/descriptors")
        links = json.loads(connection.getresponse().read())
        # Those with an address: .NET also has sockets without one, with which it once looks what the system can do.
        inodes = {line.split()[9] for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]}
        connection.close()
    assert len(inodes) > 0
    assert not [link for link in links.values() if (m := re.match(r"socket:\[(\d+)\]", link)) and m[1] in inodes], links


def test_every_hub_call_raises(server):
    for path in ("/calls", "/thread_fork"):
        answers = server.get(path).json
        assert len(answers) > 50
        for name, answer in answers.items():
            assert answer == f"RuntimeError: {name}() needs the server, and this process is a forked child: only the process that it was forked from serves"


def test_a_child_is_the_main_thread(server):
    name, is_main, threads = server.get("/thread").json
    assert (is_main, threads) == (True, 1), name


@pytest.mark.parametrize("path, code, says", [("return", 1, "RuntimeError: start_response() needs the server"), ("exit", 5, ""), ("exit_text", 1, "bye\n"), ("raise", 1, "ZeroDivisionError")])
def test_a_child_that_does_not_leave_by_itself_ends(server, path, code, says):
    start = len(server.log)
    assert server.get("/" + path).json == code
    server.wait_log(re.escape(says), start=start)
    assert server.get("/ping").json == "pong"


def test_a_child_forks_as_any_process_does(server):
    start = len(server.log)
    assert server.get("/grandchild").json is True
    assert "ignored" not in server.log[start:]


def test_a_fork_leaves_the_parents_sockets_alone(server):
    """With a default time-out of sockets in the application."""
    assert server.get("/default_timeout").json is True


WAYS = {"fork": "child", "terminated": -15, "pool_fork": [0, 1, 4, 9], "pool_spawn": [0, 1, 4, 9], "pool_forkserver": [0, 1, 4, 9], "executor": [0, 1, 4, 9], "preexec": "out\n"}


@pytest.mark.parametrize("kind", [Server, Master])
def test_a_hundred_of_each_kind_and_nothing_is_left(kind):
    # UGREEN_PROCESSES=100 makes it the hundred; starting Python anew for a pool takes a tenth of a second of both processors.
    most = int(os.environ.get("UGREEN_PROCESSES", "12"))
    more = {"workers": 1} if kind is Master else {}
    with kind("processes", cores=20, **more) as server:
        for way, expected in WAYS.items():
            for turn in range(most * (1 if "spawn" in way or "server" in way else 3)):
                assert server.get("/" + way, timeout=PATIENCE).json == expected, (way, turn)
        left = server.get("/left").json
        assert all(map(is_alive, left))
        server.stop()
    until(lambda: not any(map(is_alive, left)), "the end of all children")


def is_alive(pid):
    try:
        return "State:\tZ" not in pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_a_pool_in_each_request_at_the_same_time(plain):
    with background(plain.get, "/pool_fork") as first, background(plain.get, "/pool_fork") as second:
        assert first.result(PATIENCE).json == second.result(PATIENCE).json == [0, 1, 4, 9]


# :: Signals


@pytest.mark.parametrize("path", ["alarm_loop", "alarm_sleep", "alarm_read"])
def test_an_alarm_ends_what_it_is_for(server, path):
    begun = time.monotonic()
    assert server.get("/" + path).json == "ended"
    assert time.monotonic() - begun < 10


def test_a_handler_runs_while_nobody_asks(plain):
    plain.get("/mark_later")
    until(lambda: "alarm" in plain.get("/heard").json, "the handler")
    start = len(plain.log)
    plain.get("/ring_later")
    plain.wait_log(r"a signal handler of the application failed while no request ran\n(?s:.*)Alarm", start=start)
    assert plain.get("/ping").json == "pong"


def test_a_handler_of_the_servers_log_signal_runs_besides(plain):
    os.kill(plain.pid, signal.SIGUSR1)
    until(lambda: "usr1 True" in plain.get("/heard").json, "the handler")


def test_a_request_puts_back_what_it_found(server):
    start = len(server.log)
    assert server.get("/put_back").json == "put back"
    for number in (signal.SIGUSR2, signal.SIGHUP):
        os.kill(server.pid, number)
        server.wait_log(f"{number.name}: ", start=start)


def test_faulthandler(plain, tmp_path):
    assert "in dump_at" in plain.get(f"/dump?{tmp_path / 'dump'}").json


def test_what_the_server_stops_by_stays_the_servers():
    with Server("processes", env={"TAKES_TERM": "1"}) as server:
        assert server.get("/status").json["SigCgt"] & SIGTERM, "in a child it is used"
        assert re.search(r"signal\.signal\(SIGTERM, \.\.\.\) at \S+/processes\.py:\d+: the server stops by this signal and keeps it", server.log)
        server.send_signal(signal.SIGTERM)
        assert server.wait_exit() == 0


# :: A hub that hangs


@pytest.mark.parametrize("path, says", [("block", r"it is in clock_nanosleep, here:\n(?s:.*)processes\.py\", line \d+, in <lambda>"), ("block_gil", r"in a call outside Python \(clock_nanosleep\) that keeps Python's lock")])
def test_a_hub_that_hangs_is_told_once(plain, path, says):
    start = len(plain.log)
    with background(plain.get, "/" + path) as blocked:
        time_of_neighbour = until_blocked(plain)
        with background(plain.get, "/ping") as neighbour:
            plain.wait_log(rf"GET /{path} on core \d+ holds up all other requests of this worker: it has kept the hub for [3-9]\.\d s.*{says}", start=start)
            assert neighbour.result(PATIENCE).json == "pong", time_of_neighbour
        assert blocked.result(PATIENCE).status == 200
    plain.wait_log(rf"GET /{path} on core \d+ holds up the others no more; it kept the hub for [5-9]\.\d s", start=start)
    assert plain.log[start:].count("holds up all other requests") == 1


def until_blocked(server):
    """A request of the test's is on its way, and nobody can be asked; the hub thread sleeps in the kernel, and not in epoll."""
    def is_blocked():
        for task in pathlib.Path(f"/proc/{server.pid}/task").iterdir():
            if (task / "comm").read_text() == "ugreen hub\n":
                return (task / "syscall").read_text().split()[0] == "230"
        return False

    until(is_blocked, "clock_nanosleep in the hub thread")
    return time.monotonic()


def test_a_long_request_that_nobody_waits_for_is_not_told(plain):
    start = len(plain.log)
    assert plain.get("/block").status == 200
    assert "holds up" not in plain.log[start:]


@pytest.mark.parametrize("options", [[], ["--master"]])
def test_a_hub_that_hangs_is_ended(options):
    with Server("processes", options=["--shutdown-timeout", "1", *options]) as server:
        with background(server.get, "/block_long") as blocked:
            server_is_asked(server)
            begun = time.monotonic()
            server.send_signal(signal.SIGTERM)
            server.wait_exit()
            # README: two seconds more than --shutdown-timeout; the rest is this machine's.
            assert time.monotonic() - begun < 1 + 2 + 4
            with pytest.raises(Exception):
                blocked.result(PATIENCE)
    assert "the hub hangs and is cut off" in server.log


def server_is_asked(server):
    until(lambda: "yes" if any_blocked(server.pid) else "", "the request that blocks")


def any_blocked(pid):
    family = [pid, *(int(child) for task in pathlib.Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split())]
    for process in family:
        for task in pathlib.Path(f"/proc/{process}/task").iterdir():
            if (task / "comm").read_text() == "ugreen hub\n" and (task / "syscall").read_text().split()[0] == "230":
                return True
    return False
