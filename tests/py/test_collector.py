"""--ugreen-gc: when Python's garbage collector looks for cycles, once the application is loaded."""

import gc

import pytest
from serving import Server

APP = """
import gc

{own}

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [str([gc.get_threshold()[0], gc.get_freeze_count() > 1000, gc.isenabled()]).lower().encode()]
"""

PYTHONS = gc.get_threshold()[0]


@pytest.mark.parametrize("own, options, expected", [
    ("", [], [10_000, True, True]),
    ("", ["--ugreen-gc", "3000"], [3000, True, True]),
    ("", ["--ugreen-gc", "0"], [PYTHONS, False, True]),
    ("gc.set_threshold(123)", [], [123, False, True]),
    ("gc.disable()", [], [PYTHONS, False, False]),
], ids=["by itself", "a number", "left alone", "the application's own", "switched off by the application"])
def test_thresholds(tmp_path, own, options, expected):
    (tmp_path / "collected.py").write_text(APP.format(own=own))
    with Server("collected", options=["--pp", str(tmp_path), *options]) as server:
        assert server.get("/").json == expected


def test_cycles_of_requests_are_collected(tmp_path):
    (tmp_path / "cycles.py").write_text("""
import weakref

seen = []

class Node:
    pass

def application(environ, start_response):
    for _ in range(1000):
        node = Node()
        node.itself = node
        seen.append(weakref.ref(node))
    start_response("200 OK", [("Content-Type", "application/json")])
    return [str(sum(ref() is not None for ref in seen)).encode()]
""")
    with Server("cycles", options=["--pp", str(tmp_path), "--ugreen-gc", "5000"]) as server:
        alive = [server.get("/").json for _ in range(30)]
    # 30,000 were made; what is alive is what came since the last look.
    assert max(alive) < 10_000
