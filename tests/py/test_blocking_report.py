"""How often calls have waited, by function, in the log of a worker at ``--log-level debug``."""

import re

import pytest

from serving import Server, many

WORK = "import select\ntime.sleep(0.01)\nleft, right = socket.socketpair()\nselect.select([left], [], [], 0.01)\nreturn 1"


def counts(*options):
    """What the log says at the end: a dictionary, or None."""
    with Server("run_code", cores=20, options=options) as server:
        assert many(10, lambda i: server.run(WORK)) == [1] * 10
        server.stop()
        found = re.search(r"debug hub: calls that waited green, in all: (.*)", server.log)
        assert bool(found) == ("calls that waited" in server.log)
        return found and {name: int(count) for name, count in (one.split() for one in found[1].split(", "))}


@pytest.mark.green_waits
def test_the_end_of_a_worker_says_it():
    said = counts("--log-level", "debug")
    assert said["clock_nanosleep"] >= 10 and said["select"] >= 10


def test_nobody_else_is_bothered():
    assert counts() is None


def test_nothing_waits_green_when_it_is_off():
    assert counts("--log-level", "debug", "--ugreen-blocking=false") is None
