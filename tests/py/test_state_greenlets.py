"""The library greenlet in requests: each core is a thread to it. Without that, two requests that wait inside greenlets end the worker by SIGSEGV."""

import pytest

from serving import Server, background, many

pytest.importorskip("greenlet")

REQUESTS = 20
ROUNDS = 5


@pytest.fixture(params=["at the start", "in a request"])
def server(request, control, tmp_path):
    """A server whose application imports greenlet then."""
    late = """
        def application(environ, start_response):
            import greenlets_app
            return greenlets_app.application(environ, start_response)
    """
    (tmp_path / "late_app.py").write_text("\n".join(line[8:] for line in late.splitlines()), encoding="utf-8")
    app = "greenlets_app" if request.param == "at the start" else "late_app"
    with Server(app, cores=REQUESTS, options=["--pythonpath", tmp_path], env=control.env) as s:
        yield s
        assert "Traceback" not in s.log and "greenlet" not in s.log.replace("greenlets_app", "").replace("/greenlets", "")


def test_requests_wait_inside_greenlets(server):
    answers = many(REQUESTS, lambda i: server.get(f"/park/r{i}").json)
    assert answers == [[f"r{i} {how} {turn}" for turn in range(ROUNDS) for how in ("in", "out")] for i in range(REQUESTS)]


def test_another_request_runs_while_one_is_parked_inside_a_greenlet(server, control):
    with background(server.get, "/park/checked") as parked:
        for turn in range(ROUNDS):
            point = control.wait(f"checked-{turn}")
            assert len(server.get(f"/park/other{turn}").json) == 2 * ROUNDS
            point.release()
        assert parked.result(30).json == [f"checked {how} {turn}" for turn in range(ROUNDS) for how in ("in", "out")]


def test_the_current_greenlet_tells_requests_apart(server, control):
    """What scoped_session(scopefunc=greenlet.getcurrent) and its kind rely on."""
    with background(many, REQUESTS, lambda i: server.get("/identity/x").json) as answers:
        for point in control.wait_all("identity", REQUESTS):
            point.release()
        found = answers.result(30)
    assert len({current for current, _ in found}) == REQUESTS and len({session for _, session in found}) == REQUESTS


def test_a_greenlet_belongs_to_its_request(server, control):
    """Switching to it elsewhere is an error, and what another request drops is thrown away by its owner."""
    with background(server.get, "/leave/x") as owner:
        point = control.wait("left")
        assert "different thread" in server.get("/foreign/x").json
        assert server.get("/drop/x").json == []
        point.release()
        assert owner.result(30).json == [True]
