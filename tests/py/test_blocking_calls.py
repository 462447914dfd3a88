"""Every function of the table in src/UGreen.Py.Machine/BlockingCall.cs: on every core at once, and ended by each kind of exception. What each is called with is in apps/blocking_table.py."""

import re

import pytest

from serving import APPS, ROOT, Server, abort, get_bytes, many, until

CORES = 12

# Names in the table of functions, and what the application calls them.
FUNCTIONS = re.findall(r'new\("(\w+)"', (ROOT / "src/UGreen.Py.Machine/BlockingCall.cs").read_text(encoding="utf-8"))


def read_table():
    """The application's table without the server's modules, which only the server has."""
    text = (APPS / "blocking_table.py").read_text(encoding="utf-8")
    ways = [name for names in re.findall(r"^@way\((.*)\)$", text, re.MULTILINE) for name in re.findall(r'"(\w+)"', names)]
    return ways


WAYS = read_table()

# The end of any child ends them.
ANY_CHILD = {"wait", "wait3"}


@pytest.fixture(scope="module")
def server():
    with Server("blocking_calls", cores=CORES, options=["--ugreen-threads", CORES]) as s:
        yield s


@pytest.fixture(scope="module")
def narrow():
    """With one thread for what goes to threads, so that everything of that kind waits for the one before it."""
    with Server("blocking_calls", cores=CORES, options=["--ugreen-threads", 1]) as s:
        yield s


def test_every_function_is_here():
    assert sorted(set(FUNCTIONS) - set(WAYS)) == []


@pytest.mark.parametrize("way", WAYS)
def test_a_time_limit_on_every_core(server, way):
    """All cores wait in it at once, so also the lowest stack and the highest; each is ended by its own time limit, or outlives it where nothing can end it."""
    answers = many(CORES, lambda i: server.get(f"/meet/{way}?count={CORES}&limit=0.1").json)
    assert [answer for answer, _ in answers] == ["Timeout"] * CORES
    assert sorted(core for _, core in answers) == list(range(CORES))
    assert not server.warnings


@pytest.mark.parametrize("way", WAYS)
def test_killed(narrow, way):
    assert narrow.get(f"/killed/{way}").json == "GreenExit"


@pytest.mark.parametrize("way", WAYS)
def test_a_client_that_has_left(narrow, way):
    with narrow.connect() as client:
        client.sendall(get_bytes(f"/left/{way}"))
        waits = way if way in FUNCTIONS else r"\w+"
        until(lambda: way == "sched_yield" or re.search(rf"in {waits}\b", narrow.get("/dump").json), f"{way} waits")
        abort(client)
    until(lambda: narrow.get(f"/seen/{way}").json, f"{way} has ended")
    assert narrow.get(f"/seen/{way}").json == "ClientGone"


@pytest.mark.parametrize("ways", [[way for way in WAYS if way not in ANY_CHILD], *([way] for way in WAYS if way in ANY_CHILD)], ids=lambda ways: ways[0])
def test_harakiri(ways):
    """All of them at once, each in a request of its own."""
    with Server("blocking_calls", cores=len(ways) + 10, options=["-t", 1, "--ugreen-threads", 50], env={"BLOCKING_HOLD": "2"}) as server:
        statuses = many(len(ways), lambda i: server.get(f"/forever/{ways[i]}").status)
        assert dict(zip(ways, statuses)) == {way: 504 for way in ways}
        assert server.get("/ok").json == "ok"
