"""A master and its workers from start to end: what ends, what is started again and when, what the log says, and that no process is left (masters.Master looks after every test)."""

import contextlib
import functools
import http.client
import os
import re
import signal
import socket
import struct
import tempfile
import textwrap
import time

import pytest

from load import Http1, Load
from masters import Master, is_alive, status_of
from serving import PATIENCE, ROOT, background, many, read_all, until

pytestmark = pytest.mark.waiting

#: The client has lost its worker.
LOST = (OSError, http.client.HTTPException)

#: What a worker may take on top of its grace until it is gone, whatever holds it up (WorkerRole, Supervisor).
OWN_TIME = 10


def write(path, text):
    path.write_text(textwrap.dedent(text))
    return path


def version(path, text):
    """An application that answers with this text."""
    return write(path, f"""
        def application(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"{text}"]
    """)


def open_files(pid):
    """What the descriptors of a process stand for; one that is closed meanwhile stands for nothing."""
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
    return found


def refused(*options, app="chaos_app", code=1, **more):
    """Starts a master that cannot start; returns what it says."""
    with Master(app, options=options, ready=False, **more) as server:
        assert server.wait_exit() == code, server.log
        server.assert_nothing_left()
        return server.log


def hup(server):
    """Reloads, and waits until all is done."""
    start = len(server.log)
    server.send_signal(signal.SIGHUP)
    server.wait_log(r"reload: done", start=start)


# :: Connections


def test_workers_share_connections_evenly():
    """A burst that is kept open: without care the quickest worker takes nearly all."""
    with Master("chaos_app", workers=3) as server:
        clients = [server.client() for _ in range(30)]
        try:
            for client in clients:
                client.connect()
            pids = []
            for client in clients:
                client.request("GET", "/")
                answer = client.getresponse()
                answer.read()
                pids.append(answer.headers["X-Worker"])
        finally:
            for client in clients:
                client.close()
        shares = sorted(pids.count(pid) for pid in set(pids))
        assert len(shares) == 3 and shares[0] >= 5, shares


# :: Start


def test_workers_are_children_that_share_the_sockets():
    with Master("chaos_app", 2) as server:
        workers = server.workers()
        assert {process.pid for process in server.children()} == set(workers.values())
        assert f"listening on http://127.0.0.1:{server.port}" in server.log and server.log.count("listening on") == 1
        seen = set()
        until(lambda: seen.add(int(server.get("/").headers["X-Worker"])) or seen == set(workers.values()), "each worker answers")


def test_processes_imply_a_master():
    with Master("chaos_app", None, options=["--processes", "2"]) as server:
        assert len(server.wait_workers(2)) == 2


def test_as_many_workers_as_cpus():
    with Master("chaos_app", None, options=["--master", "-p", "auto"]) as server:
        count = len(os.sched_getaffinity(0))
        server.wait_workers(count)
        assert len(server.children()) == count


def test_one_worker():
    with Master("chaos_app", 1) as server:
        (pid,) = server.workers().values()
        assert server.get("/").headers["X-Worker"] == str(pid) != str(server.pid)


def test_an_application_that_cannot_be_imported(tmp_path):
    write(tmp_path / "broken_at_once.py", "1 / 0")
    log = refused("--pythonpath", tmp_path, app="broken_at_once")
    assert log.count("Traceback") == log.count("ugreen-py: ") == 1 and "serves" not in log and "listening on" not in log, log
    assert log.splitlines()[-1] == "ugreen-py: the application could not be imported: ZeroDivisionError: division by zero", log


def test_an_address_in_use():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        log = refused(http=address)
        assert len(log.splitlines()) == 1 and address in log and "already in use" in log, log


def test_a_unix_socket_file_that_a_dead_server_has_left(tmp_path):
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with Master("chaos_app", 2, options=["--socket", path]):
        assert uwsgi_get(path, "/").startswith(b"HTTP/1.1 200 OK\r\n")
    assert not path.exists()


def test_a_unix_socket_that_another_server_uses(tmp_path):
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        log = refused("--socket", path)
        assert len(log.splitlines()) == 1 and str(path) in log and "already in use" in log, log
        assert path.exists()


def test_a_pidfile_that_cannot_be_written(tmp_path):
    log = refused("--pidfile", "/proc/self/pid")
    assert log.splitlines()[-1].startswith("ugreen-py: --pidfile '/proc/self/pid' cannot be written: ") and "serves" not in log, log
    assert len(refused("--pidfile", tmp_path, code=2).splitlines()) == 1


# :: Reload


def test_a_broken_application_leaves_the_old_workers_in_service(tmp_path):
    file = version(tmp_path / "changing_app.py", "one")
    with Master("changing_app", 2, options=["--pythonpath", tmp_path]) as server:
        workers = server.workers()
        write(file, "def application(environ, start_response:\n")
        server.send_signal(signal.SIGHUP)
        server.wait_log(r"error.* reload given up: worker 1: .*; the old workers go on serving")
        assert "SyntaxError" in server.log and str(file) in server.log, server.log
        assert server.workers() == workers
        assert many(6, lambda i: server.get("/").text) == ["one"] * 6
        until(lambda: len(server.children()) == 2, "the process that failed is gone")
        version(file, "two")
        hup(server)
        until(lambda: not any(map(is_alive, workers.values())), "the old workers have ended")
        assert many(6, lambda i: server.get("/").text) == ["two"] * 6
        assert not set(workers.values()) & set(server.workers().values())


def test_reloads_that_are_asked_for_while_one_runs():
    with Master("chaos_app", 2) as server:
        server.send_signal(signal.SIGHUP)
        server.wait_log(r"reload \(SIGHUP\): replacing 2 workers")
        for i in range(2):
            # Each alone: the kernel makes one of two signals that nobody has taken yet.
            server.send_signal(signal.SIGHUP)
            until(lambda i=i: server.log.count("one is under way; another will follow it") == i + 1, "the master has seen it")
        until(lambda: server.log.count("reload: done") == 2, "the one, and another for all that came meanwhile")
        until(lambda: len(server.children()) == 2, "only the newest workers are left")
        assert [worker for worker, _ in server.served()] == [1, 2] * 3


def test_the_application_asks_for_a_reload():
    with Master("chaos_app", 2) as server:
        workers = server.workers()
        assert server.get("/reload").status == 200
        server.wait_log("reload: done")
        assert not set(workers.values()) & set(server.workers().values())


def test_a_touched_file_reloads(tmp_path):
    file = tmp_path / "touch me"
    file.touch()
    with Master("chaos_app", 2, options=["--touch-reload", file]) as server:
        workers = server.workers()
        os.utime(file, (1, 1))
        server.wait_log(rf"reload \({re.escape(str(file))} was touched\)")
        server.wait_log("reload: done")
        assert not set(workers.values()) & set(server.workers().values())


# :: Workers that die


def test_a_worker_that_exits_is_replaced_and_its_request_named(control):
    with Master("chaos_app", 2, env=control.env) as server:
        workers = server.workers()
        with pytest.raises(LOST):
            server.get("/exit?3")
        found = server.wait_log(r"error.* worker (\d+) \(pid (\d+)\) died: exited with code 3; it was running: GET /exit\S* \(core \d+, [\d.]+ s\); it is replaced")
        assert workers[int(found[1])] == int(found[2])
        server.wait_served(int(found[1]), int(found[2]))
        assert server.get("/").status == 200


def test_a_green_stack_that_overflows_is_named():
    with Master("chaos_app", 2) as server:
        with pytest.raises(LOST):
            server.get("/deep")
        server.wait_log(r"the green stack of core \d+ overflowed")
        found = server.wait_log(r"error.* worker (\d+) \(pid (\d+)\) died: (.*); it was running: GET /deep")
        assert "green stack" in found[3] or "SIGABRT" in found[3] or "SIGSEGV" in found[3], found[0]
        server.wait_served(int(found[1]), int(found[2]))
        assert server.get("/").status == 200


def test_a_worker_that_cannot_be_started_again_is_tried_later_and_later(tmp_path):
    flag = tmp_path / "broken"
    write(tmp_path / "moody_app.py", f"""
        import os
        from chaos_app import application
        if os.path.exists({str(flag)!r}):
            raise RuntimeError("not today")
    """)
    with Master("moody_app", 2, options=["--pythonpath", tmp_path]) as server:
        flag.touch()
        os.kill(server.workers()[2], signal.SIGKILL)
        # It may begin with two seconds: one that dies as young as this is a failure as well.
        pauses = lambda: [int(pause) for pause in re.findall(r"worker 2 cannot start: .*not today.*; tried again in (\d+) s", server.log)]
        first, second = until(lambda: pauses()[:2] if len(pauses()) >= 2 else None, "two failures")
        assert first in (1, 2) and second == 2 * first
        assert many(4, lambda i: server.get("/").status) == [200] * 4
        flag.unlink()
        server.wait_workers(2)


def test_a_worker_that_gets_a_sigterm_is_replaced_without_loss():
    with Master("chaos_app", 2) as server:
        worker, pid = next(iter(server.workers().items()))
        with Load([functools.partial(Http1, ("127.0.0.1", server.port), keep=i % 2 == 0) for i in range(4)]) as load:
            until(lambda: load.done > 50, "the clients are at work")
            os.kill(pid, signal.SIGTERM)
            server.wait_log(rf"worker {worker} \(pid {pid}\) drains: SIGTERM")
            server.wait_served(worker, pid)
            until(lambda: not is_alive(pid), "it ends")
            before = load.done
            until(lambda: load.done > before + 50, "the clients still are at work")
        assert load.failures == [], (load.failures, server.log[-8000:])
        assert rf"worker {worker} (pid {pid}) has ended" in server.log and "died" not in server.log, server.log


# :: Limits


def test_max_requests():
    with Master("chaos_app", 1, options=["--max-requests", 20, "--min-worker-lifetime", 0]) as server:
        (pid,) = server.workers().values()
        answers = [server.get("/") for _ in range(30)]
        assert {answer.status for answer in answers} == {200} and answers[0].headers["X-Worker"] == str(pid)
        server.wait_log(rf"worker 1 \(pid {pid}\) is replaced: .*--max-requests")
        server.wait_served(1, pid)
        until(lambda: not is_alive(pid), "the old worker ends")
        assert server.get("/").headers["X-Worker"] != str(pid)


def test_worker_lifetime():
    with Master("chaos_app", 1, options=["--worker-lifetime", 1, "--min-worker-lifetime", 0]) as server:
        (pid,) = server.workers().values()
        server.wait_log(rf"worker 1 \(pid {pid}\) is replaced: it has lived long enough")
        server.wait_served(1, pid)
        until(lambda: not is_alive(pid), "the old worker ends")
        assert server.get("/").status == 200


def test_reload_on_rss():
    with Master("chaos_app", 1, options=["--reload-on-rss", 500, "--min-worker-lifetime", 0]) as server:
        (pid,) = server.workers().values()
        assert server.get("/grow?500").headers["X-Worker"] == str(pid)
        server.wait_log(rf"worker 1 \(pid {pid}\) is replaced: it takes \d+ MB of memory, --reload-on-rss allows 500")
        server.wait_served(1, pid)
        until(lambda: not is_alive(pid), "the old worker ends")
        assert len(server.served()) == 2, "the new one is small, and stays"


def test_cheaper_follows_the_load(control):
    with Master("chaos_app", None, cores=4, env=control.env, options=["--master", "-p", 2, "--cheaper", 1, "--cheaper-overload", 0.5]) as server:
        server.wait_workers(1)
        with background(lambda: many(3, lambda i: server.get("/reach?busy").status)) as requests:
            points = control.wait_all("busy", 3)
            server.wait_log(r"cheaper: 2 workers instead of 1 \(75 % of their cores were busy\)")
            assert len(server.wait_workers(2)) == 2
            for point in points:
                point.release()
            assert requests.result(PATIENCE) == [200] * 3
        server.wait_log(r"cheaper: 1 workers? instead of 2")
        until(lambda: len(server.children()) == 1, "one of them ends")
        assert server.workers().keys() == {1} and "died" not in server.log
        assert server.get("/").status == 200


# :: Stop


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_running_request_is_finished(number, control):
    with Master("chaos_app", 2, env=control.env) as server:
        with background(server.get, "/reach") as request:
            point = control.wait("here")
            server.send_signal(number)
            server.wait_log(rf"{number.name}: no new requests; workers have 10 s to finish")
            until(lambda: len(server.children()) == 1, "the idle worker ends")
            point.release()
            assert request.result(PATIENCE).status == 200
        assert server.wait_exit() == 0, server.log
        server.assert_nothing_left()
        assert server.log.rstrip().endswith("stopped"), server.log


def test_a_parked_request_is_cut_when_the_time_is_over(control):
    with Master("chaos_app", 2, env=control.env, options=["--shutdown-timeout", 1]) as server:
        with background(pytest.raises, LOST, server.get, "/reach") as request:
            control.wait("here")
            begun = time.monotonic()
            server.send_signal(signal.SIGTERM)
            assert server.wait_exit() == 0, server.log
            assert time.monotonic() - begun >= 1
            request.result(PATIENCE)
        assert "did not end in time" not in server.log


def test_a_worker_that_does_not_end_is_killed():
    """Python that computes cannot hold a worker up; one that the kernel has stopped can do nothing itself."""
    with Master("chaos_app", 2, options=["--shutdown-timeout", 1]) as server:
        with background(pytest.raises, LOST, server.get, "/burn?100000") as request:
            burning = lambda: [pid for pid in server.workers().values() if int(status_of(pid)[11]) > 100]
            (pid,) = until(burning, "a worker burns")
            os.kill(pid, signal.SIGSTOP)
            server.send_signal(signal.SIGTERM)
            server.wait_log(r"worker \d+ \(pid \d+\) did not end in time and is killed; it was running: GET /burn")
            server.wait_exit()
            request.result(PATIENCE)
        server.assert_nothing_left()


def test_a_second_sigint_stops_at_once(control):
    with Master("chaos_app", 2, env=control.env) as server:
        with background(pytest.raises, LOST, server.get, "/reach") as request:
            control.wait("here")
            server.send_signal(signal.SIGINT)
            server.wait_log(r"SIGINT: no new requests")
            server.send_signal(signal.SIGINT)
            assert server.wait_exit() == 130, server.log
            request.result(PATIENCE)
        server.assert_nothing_left()


def test_sigquit_stops_at_once(control):
    with Master("chaos_app", 2, env=control.env) as server:
        with background(pytest.raises, LOST, server.get, "/reach") as request:
            control.wait("here")
            server.send_signal(signal.SIGQUIT)
            assert server.wait_exit() == 131, server.log
            request.result(PATIENCE)
        server.assert_nothing_left()


def test_a_signal_while_the_first_worker_starts(tmp_path, control):
    write(tmp_path / "slow_app.py", """
        import time, checkpoint
        here = checkpoint.connect("importing")
        time.sleep(1000)
    """)
    with Master("slow_app", 2, env=control.env, options=["--pythonpath", tmp_path], ready=False) as server:
        control.wait("importing")
        server.send_signal(signal.SIGTERM)
        assert server.wait_exit() == 128 + signal.SIGTERM, server.log
        server.assert_nothing_left()
        assert "Traceback" not in server.log, server.log


def test_workers_of_a_master_that_was_killed_finish_and_end(control):
    with Master("chaos_app", 2, env=control.env) as server:
        workers = list(server.workers().values())
        with background(server.get, "/reach") as request:
            point = control.wait("here")
            os.kill(server.pid, signal.SIGKILL)
            until(lambda: sum(map(is_alive, workers)) == 1, "the idle worker ends")
            point.release()
            assert request.result(PATIENCE).status == 200
        assert server.wait_exit() == -signal.SIGKILL
        server.assert_nothing_left()
        assert re.search(r"the master is gone: worker \d drains and ends", server.log), server.log
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", server.port))
            again.listen()


def test_workers_of_a_master_that_was_killed_do_not_wait_for_ever(control):
    with Master("chaos_app", 2, env=control.env, options=["--shutdown-timeout", 1]) as server:
        with background(pytest.raises, LOST, server.get, "/reach") as request:
            control.wait("here")
            os.kill(server.pid, signal.SIGKILL)
            until(lambda: not server.family(), "all workers have ended", 1 + OWN_TIME + 5)
            request.result(PATIENCE)
        assert server.wait_exit() == -signal.SIGKILL


# :: Beside


def test_a_daemon_runs_once_and_again_and_ends_with_the_server(tmp_path):
    file = tmp_path / "started"
    # Its child ignores nothing and is not waited for; it must not be left.
    command = f"sleep 1000 & echo $$ $! >> {file}; wait"
    with Master("chaos_app", 2, options=["--attach-daemon", command]) as server:
        lines = lambda: [list(map(int, line.split())) for line in file.read_text().splitlines()] if file.exists() else []
        ((first, child),) = until(lines, "the daemon runs")
        assert re.search(rf"--attach-daemon '{re.escape(command)}': started, pid {first}\b", server.log) and status_of(first)[1] == str(server.pid)
        hup(server)
        assert lines() == [[first, child]], "once for all workers, and a reload is none of its business"
        os.kill(first, signal.SIGKILL)
        server.wait_log(r"--attach-daemon '.*' killed by SIGKILL; started again in 1 s")
        second = until(lambda: len(lines()) == 2 and lines()[1], "it runs again")
        server.stop()
        server.assert_nothing_left()
        assert not any(map(is_alive, [first, child, *second]))


def test_a_daemon_that_cannot_stop_is_killed(tmp_path):
    file = tmp_path / "started"
    with Master("chaos_app", 1, options=["--attach-daemon", f"trap '' TERM; echo $$ > {file}; while :; do sleep 1; done"]) as server:
        pid = int(until(lambda: file.exists() and file.read_text(), "the daemon runs"))
        server.stop()
        assert not is_alive(pid)


def test_a_starter_that_ignores_its_children():
    """As some supervisors do: the master has to hear how its own end all the same."""
    server = Master("chaos_app", 1, options=["--attach-daemon", "exit 3"])
    server.args[:0] = ["env", "--ignore-signal=CHLD"]
    with server:
        server.wait_log(r"--attach-daemon 'exit 3' exited with code 3; started again in 1 s")
        (pid,) = server.workers().values()
        os.kill(pid, signal.SIGKILL)
        server.wait_log(rf"worker 1 \(pid {pid}\) died: killed by SIGKILL")
        server.wait_served(1, pid)


# :: Other fronts and files


def uwsgi_get(path, target):
    variables = {"REQUEST_METHOD": "GET", "REQUEST_URI": target, "PATH_INFO": target, "QUERY_STRING": "", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "t", "SERVER_PORT": "80"}
    block = b"".join(struct.pack("<H", len(part)) + part for pair in variables.items() for part in (p.encode() for p in pair))
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(PATIENCE)
        s.connect(str(path))
        s.sendall(struct.pack("<BHB", 0, len(block), 0) + block)
        return read_all(s)


def test_every_front_and_static_files_over_workers():
    # A unix socket's path is short.
    with tempfile.TemporaryDirectory(prefix="ugreen-master-") as folder:
        with open(f"{folder}/page.txt", "w") as file:
            file.write("from a file")
        options = ["--socket", f"{folder}/uwsgi", "--http", f"{folder}/http", "--static-map", f"/static={folder}"]
        with Master("chaos_app", 2, options=options) as server:
            workers = set(server.workers().values())
            assert many(8, lambda i: server.get("/static/page.txt").text) == ["from a file"] * 8
            seen = set()
            until(lambda: seen.add(int(re.search(rb"X-Worker: (\d+)", uwsgi_get(f"{folder}/uwsgi", "/"))[1])) or seen == workers, "each worker answers over uwsgi")
            for _ in range(4):
                client = Http1(f"{folder}/http", keep=False)
                client.get("/")
                client.close()
                assert client.worker in workers
        assert os.listdir(folder) == ["page.txt"]


def test_logs_are_opened_again_by_all(tmp_path):
    log, requests = tmp_path / "log", tmp_path / "requests"
    with Master("chaos_app", 2, options=["--logto", log, "--req-logger", f"file:{requests}"], ready=False) as server:
        port = int(until(lambda: log.exists() and re.search(r"listening on http://127.0.0.1:(\d+)", log.read_text()), "it listens")[1])
        until(lambda: len(re.findall(r"worker \d \(pid \d+\) serves", log.read_text())) == 2, "both serve")
        pids = {int(pid) for pid in re.findall(r"worker \d \(pid (\d+)\) serves", log.read_text())}
        log.rename(tmp_path / "log.1")
        requests.rename(tmp_path / "requests.1")
        server.send_signal(signal.SIGUSR1)
        old = {str(tmp_path / "log.1"), str(tmp_path / "requests.1")}
        until(lambda: not any(old & open_files(process.pid) for process in server.family()), "nobody holds the old files")
        seen = set()

        def ask():
            client = Http1(("127.0.0.1", port), keep=False)
            client.get(f"/?new-{len(seen)}")
            client.close()
            seen.add(client.worker)
            return seen == pids

        until(ask, "each worker answers")
        until(lambda: "/?new-0" in requests.read_text() and "/?new-1" in requests.read_text(), "lines of both workers")
        server.send_signal(signal.SIGHUP)
        until(lambda: "reload: done" in log.read_text(), "the master logs to the new file")
        assert "new-" not in (tmp_path / "requests.1").read_text() and server.log == ""
        server.stop()


def test_the_smallest_example_over_workers():
    with Master("examples.hello", 3, apps=False, cwd=ROOT) as server:
        assert many(20, lambda i: server.get("/").text) == ["Hello from a green thread\n"] * 20
