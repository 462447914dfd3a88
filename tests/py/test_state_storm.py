"""Invariants of the core, stormed: Python code that runs inside the server's own C-API calls, with Python's collector at every allocation and .NET's beside it."""

import os
import signal

import pytest
from serving import PATIENCE, Server, background, many

pytestmark = pytest.mark.waiting

#: .NET collects after every 40,000 bytes, so a frame that it does not see is found out at once.
COLLECTIONS = {"DOTNET_GCgen0size": "9C40"}


@pytest.fixture(params=["direct", "posix"])
def server(request):
    with Server("storm_app", cores=12, env=COLLECTIONS, options=["--ugreen-switch", request.param, "--ugreen-spawn-max", 4]) as s:
        yield s


def nothing_wrong(server):
    assert server.get("/report").text == "True []"
    assert "hub call" not in server.log, "a fault that the server takes for its own"


def test_every_hub_call_with_hostile_arguments(server):
    answers = many(12, lambda i: server.get(f"/storm?{i}", timeout=PATIENCE * 4).text)
    assert all(text.startswith("answered ") for text in answers)
    nothing_wrong(server)


def test_trace_functions_and_signal_handlers(server):
    with background(many, 6, lambda i: server.get("/alarm").text) as computing:
        for _ in range(20):
            os.kill(server.pid, signal.SIGUSR2)
            assert server.get("/traced", timeout=PATIENCE * 2).text == "traced"
        assert computing.result(PATIENCE * 2) == ["alarmed"] * 6
    nothing_wrong(server)


def test_a_strike_runs_finalizers_and_strikes_once(server):
    with background(many, 4, lambda i: server.get("/strike", timeout=PATIENCE * 2).text) as struck:
        assert many(20, lambda i: server.get("/report").status) == [200] * 20
        assert struck.result(PATIENCE * 2) == ["struck 1 times"] * 4
    nothing_wrong(server)


def test_frames_of_others_are_seen_without_their_state(server):
    with background(many, 4, lambda i: server.get("/parked").text) as parked, background(server.get, "/dump") as dumped:
        assert many(2, lambda i: server.get("/compute").text) == ["0", "0"]
        assert dumped.result(PATIENCE).text == "dumped"
        assert parked.result(PATIENCE) == ["parked"] * 4


def test_an_exception_for_one_that_ends_meets_no_other(server):
    for _ in range(60):
        assert server.get("/ending").text == "ended"
        assert server.get("/report").status == 200
    assert "for one that has ended" not in server.log
