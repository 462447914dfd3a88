"""Signals that somebody sends to the server without having asked what they do: one line each, and it goes on; also long after the start, when .NET has collected what nobody holds."""

import os
import signal

import pytest

from masters import Master
from serving import Server, until

pytestmark = pytest.mark.waiting

#: A collection of .NET's every few requests.
COLLECTS = {"DOTNET_GCgen0size": "40000"}

#: SIGTTOU stops a process that a shell's job control looks after; SIGCONT ends that.
STRAY = "SIGWINCH SIGUSR1 SIGUSR2 SIGPIPE SIGTTOU SIGCONT SIGALRM SIGHUP".split()


def send(server, pid, name, told):
    start = len(server.log)
    os.kill(pid, getattr(signal, name))
    if told:
        server.wait_log(told, start=start)
    if name == "SIGTTOU":
        return
    assert server.get("/").status == 200 and server.running, server.log[-4000:]


def told(name, role, reload):
    return {
        "SIGUSR1": rf"{role}: SIGUSR1: there is no log file to open again",
        "SIGUSR2": rf"warn  {role}: SIGUSR2: neither the server nor the application has asked for it; nothing is done",
        "SIGALRM": rf"warn  {role}: SIGALRM: neither the server nor the application has asked for it; nothing is done",
        "SIGHUP": reload,
    }.get(name)


def test_one_process():
    with Server("chaos_app", env=COLLECTS) as server:
        for _ in range(200):
            server.get("/")
        for name in STRAY:
            send(server, server.pid, name, told(name, "server", r"warn  server: SIGHUP: there is no master, which would replace the workers \(--master\); nothing is done"))


def test_a_master_and_its_worker():
    with Master("chaos_app", 1, env=COLLECTS) as server:
        for _ in range(200):
            server.get("/")
        (worker,) = server.workers().values()
        for name in STRAY:
            send(server, worker, name, told(name, "server", None))
        assert server.workers() == {1: worker}
        for name in STRAY:
            send(server, server.pid, name, told(name, "master", r"reload: done"))


def test_while_it_starts(tmp_path, control):
    (tmp_path / "slow_app.py").write_text("""
import checkpoint
checkpoint.reach("importing")
from chaos_app import application
""")
    with Server("slow_app", options=["--pythonpath", tmp_path], env=control.env, ready=False) as server:
        point = control.wait("importing")
        for name in ("SIGUSR1", "SIGUSR2", "SIGHUP"):
            start = len(server.log)
            server.send_signal(getattr(signal, name))
            server.wait_log(name, start=start)
        point.release()
        server.wait_ready()
        assert server.get("/").status == 200


def test_what_the_application_handles_is_its_own(tmp_path):
    """Handlers of Python code are neither replaced nor seen by the server, and what was there before can be set back."""
    (tmp_path / "own_app.py").write_text("""
import signal
seen = []
was = signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
signal.signal(signal.SIGALRM, was)
signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
signal.signal(signal.SIGUSR2, lambda number, frame: seen.append(number))
def application(environ, start_response):
    start_response("200 OK", [])
    return [repr((was == signal.SIG_DFL, sorted(seen))).encode()]
""")
    with Server("own_app", options=["--pythonpath", tmp_path], env=COLLECTS) as server:
        os.kill(server.pid, signal.SIGALRM)
        until(lambda: server.get("/").text == "(True, [14])", "its own handler has run")
        os.kill(server.pid, signal.SIGUSR2)
        until(lambda: server.get("/").text == "(True, [12, 14])", "its own handler has run")
        assert "neither the server" not in server.log
