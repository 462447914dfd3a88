"""What workers of one master share: signals, timers, locks, what they know of each other."""

import ast
import signal

import pytest

from serving import Server, many, until

APP = """
import os, ugreen, uwsgi
folder = os.environ["FOLDER"]

def note(kind):
    def handler(number):
        with open(f"{folder}/{kind}", "a") as file:
            file.write(f"{uwsgi.worker_id()}\\n")
    return handler

uwsgi.register_signal(1, "workers", note("all"))
uwsgi.register_signal(2, "worker2", note("second"))
uwsgi.register_signal(3, "", note("here"))
uwsgi.register_signal(4, "", note("timer"))
uwsgi.add_timer(4, 0.02)

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/signal/"):
        uwsgi.signal(int(path[8:]))
        answer = str(uwsgi.worker_id())
    elif path == "/lock":
        uwsgi.lock(1)
        before = os.stat(f"{folder}/inside").st_size if os.path.exists(f"{folder}/inside") else 0
        with open(f"{folder}/inside", "a") as file:
            file.write("x")
        ugreen.sleep(0.01)
        after = os.stat(f"{folder}/inside").st_size
        uwsgi.unlock(1)
        answer = f"{uwsgi.worker_id()} {after - before}"
    else:
        import json
        answer = json.dumps([uwsgi.worker_id(), uwsgi.numproc, uwsgi.masterpid(), os.getppid(), environ["wsgi.multiprocess"], [worker["id"] for worker in uwsgi.workers()]])
    start_response("200 OK", [])
    return [answer.encode()]
"""


@pytest.fixture
def server(tmp_path):
    (tmp_path / "shares.py").write_text(APP)
    with Server("shares", options=["--pythonpath", tmp_path, "--master", "-p", "2", "--locks", "1"], env={"FOLDER": tmp_path}) as s:
        until(lambda: {s.get("/").json[0] for _ in range(10)} == {1, 2}, "both workers to serve")
        s.folder = tmp_path
        yield s


def lines(server, name):
    path = server.folder / name
    return path.read_text().split() if path.exists() else []


def test_a_worker_knows_the_server(server):
    for _ in range(4):
        number, count, master, parent, several, ids = server.get("/").json
        assert (count, several, ids) == (2, True, [1, 2]) and number in (1, 2) and master == parent == server.pid


def test_workers_have_the_applications_the_sockets_and_know_of_a_reload(tmp_path):
    (tmp_path / "tells.py").write_text("""
import uwsgi
def application(environ, start_response):
    start_response("200 OK", [])
    if environ["PATH_INFO"] == "/fails":
        raise ValueError("asked for")
    apps = [[[app[key] for key in ("id", "mountpoint", "requests", "exceptions")] for app in worker["apps"]] for worker in uwsgi.workers()]
    return [repr([uwsgi.worker_id(), uwsgi.is_a_reload, len(uwsgi.sockets), uwsgi.listen_queue(), apps]).encode()]
""")
    with Server("tells", options=["--pythonpath", tmp_path, "--master", "-p", "2", "--mount", "/blog=tells"]) as server:
        ask = lambda path="/": ast.literal_eval(server.get(path).text)      # noqa: E731
        until(lambda: {ask()[0] for _ in range(10)} == {1, 2}, "both workers to serve")
        assert server.get("/blog/fails").status == 500
        number, reloaded, sockets, queue, apps = until(lambda: (found := ask("/blog"))[4][found[0] - 1][1][3] == 1 and found, "the worker that failed")
        own, other = apps[number - 1], apps[2 - number]
        assert (reloaded, sockets, queue) == (False, 1, 0)
        assert [app[:2] for app in own] == [[0, b""], [1, b"/blog"]] and own[0][2] > 0 and own[0][3] == 0 and own[1][2] >= 1
        assert other == [[0, b"", None, None], [1, b"/blog", None, None]]
        server.send_signal(signal.SIGHUP)
        until(lambda: ask()[1], "a worker of after the reload")


def test_signals_reach_the_workers_of_their_target(server):
    sender = server.get("/signal/3").text
    until(lambda: lines(server, "here") == [sender], "the signal to run where it was raised")
    server.get("/signal/1")
    until(lambda: sorted(lines(server, "all")) == ["1", "2"], "both workers to have it")
    for count in range(1, 6):
        server.get("/signal/2")
        until(lambda: lines(server, "second") == ["2"] * count, "the second worker to have it")


def test_a_timer_runs_in_one_worker(server):
    until(lambda: len(lines(server, "timer")) > 20, "the timer to run")
    assert len(set(lines(server, "timer"))) == 1


def test_a_lock_holds_between_workers(server):
    answers = [answer.split() for answer in many(40, lambda i: server.get("/lock").text)]
    assert {added for _, added in answers} == {"1"}, "somebody else was inside"
    assert {number for number, _ in answers} == {"1", "2"}
