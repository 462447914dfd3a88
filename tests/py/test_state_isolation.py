"""
Thirty green threads at once, each suspending in the middle of everything: no one sees another's frames, exceptions, depth, context variables or thread-locals.

Runs four times: as it is; under a storm of Python's collections; with a .NET heap so small that it is collected all the time; and with the POSIX switch.
What a scenario does is in apps/state_scenarios.py.
"""

import ast
import contextlib
import threading

import pytest

from serving import APPS, PATIENCE, Server, background, many

CORES = 30

SERVERS = {
    "plain": {},
    "python collections": {"env": {"UGREEN_TEST_STORM": "1"}},
    # In bytes, hexadecimal: a first generation of 64 KiB, so that a few requests fill it.
    "dotnet collections": {"env": {"DOTNET_GCgen0size": "10000", "DOTNET_GCgen0MaxBudget": "10000"}},
    "posix switch": {"options": ["--ugreen-switch", "posix"]},
}


def scenarios():
    """Read from the source: the application itself can only be imported inside the server."""
    tree = ast.parse((APPS / "state_scenarios.py").read_text(encoding="utf-8"))
    return [f.name for f in tree.body if isinstance(f, ast.FunctionDef) and any(getattr(d, "id", "") == "scenario" for d in f.decorator_list)]


@pytest.fixture(scope="module", params=SERVERS)
def server(request):
    settings = SERVERS[request.param]
    spare = len(FILLERS) if "dotnet" in request.param else 0
    with Server("state_scenarios", cores=CORES + spare, options=["--disable-logging", *settings.get("options", ())], env=settings.get("env")) as s:
        with fillers(s) if spare else contextlib.nullcontext():
            yield s


FILLERS = range(2)
MANY_HEADERS = {f"X-Filler-{i}": "x" * 40 for i in range(90)}


@contextlib.contextmanager
def fillers(server):
    """Requests of many headers all the time: strings for .NET to collect while the others' stacks are parked. Switching itself allocates nothing."""
    stop = threading.Event()

    def fill(i):
        served = 0
        with contextlib.closing(server.client()) as connection:
            while not stop.is_set():
                connection.request("GET", "/filler", headers=MANY_HEADERS)
                assert connection.getresponse().read() == b"filled"
                served += 1
        return served

    with background(many, len(FILLERS), fill, timeout=1000) as served:
        try:
            yield
        finally:
            stop.set()
    assert all(n > 50 for n in served.result(PATIENCE))


def run_all(server, name, group):
    answers = many(CORES, lambda i: server.get(f"/{name}?group={group}&n={CORES}&seed={i}", timeout=90).json)
    assert [a["problems"] for a in answers if a["problems"]] == []
    assert len({a["core"] for a in answers}) == CORES, "they did not run side by side"
    assert all(a["pauses"] > 0 for a in answers)


@pytest.mark.parametrize("name", scenarios())
def test_everyone_sees_only_its_own_state(server, name):
    """Twice on each core, so that what the first request leaves behind would be found by the second."""
    for turn in range(2):
        run_all(server, name, f"{name}-{turn}")


def test_different_scenarios_side_by_side(server):
    """Everything at once, with short requests of many headers in between."""
    names = scenarios()
    names.remove("recursion_limit")     # changes what the others measure
    n = CORES - 5

    def one(i):
        if i >= n:
            for turn in range(20):
                assert server.get(f"/{names[turn % 3]}?group=filler-{i}-{turn}&n=1&seed={i}", headers=MANY_HEADERS).json["problems"] == []
            return []
        return server.get(f"/{names[i % len(names)]}?group=mixed&n={n}&seed={i}", timeout=90).json["problems"]

    assert [p for p in many(CORES, one) if p] == []
