"""Blocking calls of Python and of C libraries: they wait green, unmodified. The figures are those of the slowest machine that is thinkable: waiting one after the other takes ten times as long."""

import re
import time

import pytest

from serving import Server, background, many

pytestmark = pytest.mark.green_waits

CORES = 60
AT_ONCE = 20

# What a request takes alone, in seconds; those that exclude each other take that one after the other.
ALONE = 0.2
TOGETHER = [
    "sleep", "usleep", "recv", "recvfrom", "recvmsg", "read_socket", "makefile", "wait_all", "pipe", "receive_timeout", "accept", "connect_refused", "connect_unix", "poll", "select", "epoll",
    "urgent", "subprocess", "child", "any_child", "system", "pool", "queue", "event", "join", "asyncio", "names", "file_lock", "who", "import",
]
IN_TURN = ["lock", "rlock", "mutex"]


@pytest.fixture(scope="module")
def server():
    with Server("blocking_app", cores=CORES, options=["--ugreen-threads", AT_ONCE]) as s:
        yield s


@pytest.fixture(scope="module")
def plain():
    """With the feature off."""
    with Server("blocking_app", cores=CORES, options=["--ugreen-blocking=false"]) as s:
        yield s


def at_once(server, path, count=AT_ONCE):
    began = time.monotonic()
    answers = many(count, lambda i: server.get(path))
    assert [answer.text for answer in answers] == ["ok"] * count, server.log[-4000:]
    return time.monotonic() - began


@pytest.mark.parametrize("way", TOGETHER)
def test_waits_together(server, way):
    assert at_once(server, "/" + way) < AT_ONCE * ALONE / 2


@pytest.mark.parametrize("way", IN_TURN)
def test_exclude_each_other(server, way):
    server.get("/most")
    took = at_once(server, "/" + way)
    assert took < 5
    if way != "mutex":
        assert server.get("/most").text == "1"


@pytest.mark.parametrize("way", ["send_much", "pipe_much"])
def test_a_blocking_write_is_a_whole_write(server, way):
    at_once(server, "/" + way, 5)


def test_bad_input_gets_what_linux_answers(server):
    at_once(server, "/bad", 3)


def test_an_address_in_figures_is_read_at_once():
    with Server("blocking_app", cores=2) as server:
        at_once(server, "/addresses", 1)


def test_a_forked_child_blocks_and_works(server):
    at_once(server, "/forked", 5)


def test_each_core_has_an_identity(server):
    at_once(server, "/who")
    assert int(server.get("/idents").text) >= AT_ONCE


def test_every_core_waits_green():
    """Also the last one, whose stack is the highest."""
    with Server("blocking_app", cores=CORES) as server:
        assert at_once(server, "/sleep", CORES) < CORES * ALONE / 4


@pytest.mark.parametrize("way", ["sleep", "lock", "lock_time", "recv", "read", "poll", "select", "settimeout", "child", "queue", "event", "accept", "asyncio"])
def test_an_exception_ends_the_wait(server, way):
    assert [answer.text for answer in many(4, lambda i: server.get(f"/interrupted?way={way}"))] == ["ok"] * 4


@pytest.mark.parametrize("way", ["sleep", "lock", "recv", "child", "event"])
def test_harakiri_ends_the_wait(way):
    with Server("blocking_app", cores=4, options=["-t", 1]) as server:
        assert server.get(f"/forever?way={way}").status == 504
        assert server.get("/sleep").text == "ok"


@pytest.mark.parametrize("way", ["sleep", "recv", "lock", "select"])
def test_a_signal_interrupts_the_wait(server, way):
    assert at_once(server, f"/alarm_{way}", 1) < 5


def test_dump_names_the_call(server):
    found = ""
    with background(server.get, "/interrupted?way=recv&time=3"):
        end = time.monotonic() + 10
        while not found and time.monotonic() < end:
            found = "".join(re.findall(r"in recv on fd \d+", server.get("/dump").text))
    assert found


def test_off_everything_blocks_and_works(plain):
    assert at_once(plain, "/sleep", 3) > 2.5 * ALONE
    for way in ["pipe", "recv", "rlock", "subprocess", "names", "queue", "bad", "forked", "import"]:
        assert plain.get("/" + way).text == "ok", way
    assert at_once(plain, "/who", 1) < 5


def test_what_is_no_switch_of_ours_blocks_and_says_so():
    with Server("blocking_app", cores=4, options=["--ugreen-switch", "posix"]) as server:
        server.wait_log("blocking calls hold up the worker: with --ugreen-switch posix they do not wait green")
        assert server.get("/pipe").text == "ok"
