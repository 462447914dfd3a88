"""A client that goes away: its request is told at once, close() of its iterable runs, its core comes back, and nobody else notices."""

import errno
import itertools
import os
import socket

import pytest

from serving import PATIENCE, Control, Server, abort, background, get_bytes, many, read_until, until

CORES = 3
_names = itertools.count()


@pytest.fixture(scope="module")
def control():
    with Control() as c:
        yield c


@pytest.fixture(scope="module")
def server(control):
    with Server("disconnects", cores=CORES, env=control.env) as s:
        yield s


@pytest.fixture(params=["reset", "close"])
def leave(request):
    """How the client goes: with a reset, or by an orderly close."""
    return abort if request.param == "reset" else socket.socket.close


@pytest.fixture(autouse=True)
def _all_cores_come_back(server):
    """After each test all cores can be taken at the same time, twice."""
    yield
    for _ in range(2):
        name = f"after {next(_names)}".replace(" ", "-")
        assert sorted(many(CORES, lambda i: server.get(f"/meet?name={name}&n={CORES}").json)) == list(range(CORES))


def start(server, path, **options):
    """A raw request for one of the application's functions; gives its name and its socket."""
    name = f"{path}-{next(_names)}"
    s = server.connect(**options)
    s.sendall(get_bytes(f"/{path}?name={name}"))
    return name, s


def events(server, name):
    return server.get(f"/events?name={name}&until=closed").json


GONE = ["OSError", errno.EPIPE]


def test_parked_before_start_response(server, control, leave):
    name, s = start(server, "before_start_response")
    control.wait("parks")
    leave(s)
    assert events(server, name) == [["woke", -1], GONE, "closed"]


def test_parked_before_the_first_byte(server, control, leave):
    name, s = start(server, "before_the_first_byte")
    control.wait("parks")
    leave(s)
    assert events(server, name) == [["woke", -1], "closed", "generator closed"]


@pytest.mark.parametrize("path", ["mid_stream", "mid_stream_in_a_sleep", "mid_stream_in_a_yield"])
def test_parked_mid_stream(server, control, leave, path):
    name, s = start(server, path)
    read_until(s, b"first")
    control.wait("parks")
    leave(s)
    assert events(server, name)[-2:] == ["closed", "generator closed"]


def test_the_deadline_of_a_gone_client_is_forgotten(server, control):
    """The hour that it wanted to sleep is over with it: the next request on its core is not woken by it, nor does it wait for it (see the fixture)."""
    name, s = start(server, "mid_stream_in_a_sleep")
    read_until(s, b"first")
    control.wait("parks")
    abort(s)
    assert events(server, name)[0] == ["woke", -1]


def test_gone_while_the_request_never_parks(server, control, leave):
    name, s = start(server, "while_it_spins")
    read_until(s, b"first")
    control.wait("parks")
    leave(s)
    server.get(f"/spun?name={name}")
    assert events(server, name) == [GONE, "closed"]


def blocked(server, name):
    """Wait until the application has stopped making progress, and made some; returns how many bytes it got rid of."""
    last = [-1, 0]

    def stuck():
        now = server.get(f"/bytes?name={name}").json
        last[1] = last[1] + 1 if now == last[0] and now > 0 else 0
        last[0] = now
        return last[1] >= 10

    until(stuck, "the application blocks on its slow client", every=0.02)
    return last[0]


@pytest.mark.parametrize("path", ["blocked_in_write", "blocked_in_yield"])
def test_blocked_on_a_slow_client(server, leave, path):
    """The client reads nothing: the green thread parks with a bounded amount on its way, and others run. Then the client goes."""
    name, s = start(server, path, receive_buffer=4096)
    # The kernel's send buffer may grow to 4 MiB (net.ipv4.tcp_wmem); the server adds little to it.
    assert blocked(server, name) < 8 << 20
    leave(s)
    seen = events(server, name)
    assert seen == ([GONE, "closed"] if path == "blocked_in_write" else ["closed", "generator closed"])


def test_a_slow_client_that_reads_again_gets_everything(server):
    name, s = start(server, "blocked_in_yield", receive_buffer=4096)
    before = blocked(server, name)
    got = 0
    with s:
        while got < before + (1 << 20):
            got += len(s.recv(1 << 16))
        assert server.get(f"/bytes?name={name}").json > before
    assert events(server, name) == ["closed", "generator closed"]


def test_gone_while_its_body_is_read(server, control, leave):
    name = f"reading-{next(_names)}"
    s = server.connect()
    s.sendall(f"POST /reading_the_body?name={name} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc".encode())
    control.wait("parks")
    leave(s)
    assert events(server, name) == [["OSError while reading", True], GONE, "closed"]


def test_gone_while_it_waits_for_a_core(server, control):
    """All cores are parked; requests that wait behind them lose their clients. They must take no core for long, and nothing else with them."""
    names = [start(server, "before_the_first_byte") for _ in range(CORES)]
    control.wait_all("parks", CORES)
    waiting = [start(server, "before_the_first_byte") for _ in range(20)]
    for _, s in waiting:
        abort(s)
    with background(server.get, f"/meet?name=behind-{next(_names)}&n=1") as behind:
        for _, s in names:
            abort(s)
        assert behind.result(PATIENCE).status == 200
    for name, _ in names:
        assert events(server, name)[-1] == "generator closed"
    for point in control.drain("parks"):
        point.close()


def test_a_keep_alive_client_that_leaves_between_requests(server):
    """Nothing is in progress, nothing is disturbed, nothing is logged as an error."""
    mark = len(server.log)
    for _ in range(20):
        with server.connect() as s:
            s.sendall(get_bytes(f"/meet?name=keep-{next(_names)}&n=1"))
            read_until(s, b"\r\n\r\n")
    assert not [line for line in server.log[mark:].splitlines() if "error" in line or "warn" in line]


def test_what_the_log_says_of_a_client_that_left(server, control):
    """It is no error of the application: no traceback."""
    mark = len(server.log)
    name, s = start(server, "mid_stream")
    control.wait("parks")
    abort(s)
    events(server, name)
    assert "Traceback" not in server.log[mark:]


def test_hundreds_that_leave_at_any_moment(server, control):
    """No file descriptor stays open behind them."""
    def open_fds():
        return len(os.listdir(f"/proc/{server.pid}/fd"))

    def client(i):
        for turn in range(30):
            _, s = start(server, ["mid_stream", "blocked_in_write", "before_start_response", "blocked_in_yield"][(i + turn) % 4], receive_buffer=4096)
            if (i + turn) % 4 in (1, 3) and turn % 3:
                s.recv(1 + i * 7)   # some leave in the middle of the head; the others answer nothing by themselves
            (abort if turn % 2 else socket.socket.close)(s)

    before = open_fds()
    many(8, client)
    until(lambda: open_fds() <= before + 10, f"the server closes its connections: {before} were open before")
    for point in control.drain("parks"):
        point.close()
