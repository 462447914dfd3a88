"""What the module ``uwsgi`` tells of the server as a whole, and what it can ask of it: in a server without a master."""

import ast
import contextlib
import signal
import socket
import time

import pytest

from serving import Remote, Server, get_bytes, many, read_all, read_until, until


@pytest.fixture(scope="module")
def server():
    with Server("run_code", cores=5) as s:
        yield s


def test_a_server_without_a_master_has_one_worker(server):
    found = server.run("""
        worker, = uwsgi.workers()
        answers = uwsgi.worker_id(), uwsgi.masterpid(), uwsgi.numproc, uwsgi.ready(), uwsgi.accepting(), uwsgi.accepting(0), environ["wsgi.multiprocess"]
        return answers, {key: value.decode() if isinstance(value, bytes) else value for key, value in worker.items()}, uwsgi.mem()
    """)
    assert found[0] == [1, 0, 1, True, None, None, False]
    worker = found[1]
    assert worker["id"] == 1 and worker["pid"] == server.pid and worker["status"] in ("idle", "busy")
    assert 0 <= time.time() - worker["last_spawn"] < 600 and 0 < worker["rss"] < worker["vsz"]


def test_reload_without_a_master_says_what_is_missing(server):
    before = len(server.log)
    assert server.run("return uwsgi.reload(), uwsgi.reload('new version')") == [None, None]
    server.wait_log(r"cannot reload \(uwsgi.reload\(\)\): there is no master.* --master", start=before)
    server.wait_log(r"cannot reload \(new version\)", start=before)


def test_stop_lets_the_request_that_asks_end_and_atexit_is_called_first(tmp_path):
    (tmp_path / "stops.py").write_text("""
import atexit, uwsgi
print("at import:", uwsgi.ready(), uwsgi.worker_id(), len(uwsgi.workers()))
atexit.register(print, "Python's atexit")

def ends():
    print("uwsgi.atexit")
    raise ValueError("not so good")

uwsgi.atexit = ends

def application(environ, start_response):
    start_response("200 OK", [])
    yield str(uwsgi.stop()).encode()
    uwsgi.async_sleep(0.05)
    yield b" and done"
""")
    with Server("stops", options=["--pythonpath", tmp_path]) as server:
        assert server.get("/").text == "True and done"
        assert server.wait_exit() == 0
    log = server.log
    assert "at import: None 1 1" in log
    assert log.index("uwsgi.stop()") < log.index("uwsgi.atexit\n") < log.index("the function uwsgi.atexit, ends, failed") < log.index("ValueError: not so good") < log.index("Python's atexit")


def test_a_stop_while_the_application_is_loaded_is_kept(tmp_path):
    (tmp_path / "stops_early.py").write_text("import uwsgi\nuwsgi.stop()\ndef application(environ, start_response): raise AssertionError\n")
    with Server("stops_early", options=["--pythonpath", tmp_path]) as server:
        assert server.wait_exit() == 0


# :: ugreen.stopping


@pytest.mark.parametrize("app, path", [("examples.ugreenchat", "/listen/0?name=Ada"), ("examples.sse", "/events")])
def test_open_streams_of_the_examples_end_when_the_server_is_asked_to(app, path):
    with Server(app, options=["--shutdown-timeout", "60"]) as server, server.connect() as one, server.connect() as two:
        for client in (one, two):
            client.sendall(get_bytes(path))
            assert b"200 OK" in read_until(client, b"\r\n\r\n")
        began = time.monotonic()
        server.send_signal(signal.SIGTERM)
        for client in (one, two):
            assert read_all(client).endswith(b"0\r\n\r\n"), "the stream must end, and not be cut"
        assert server.wait_exit() == 0
        assert time.monotonic() - began < 30


def test_stopping_wakes_green_threads_and_os_threads(tmp_path):
    (tmp_path / "waits.py").write_text("""
import threading, ugreen
answers = []
thread = threading.Thread(target=lambda: answers.append(ugreen.stopping.wait(60)))
thread.start()

def application(environ, start_response):
    before = ugreen.stopping.is_set(), ugreen.stopping.wait(0.001), repr(ugreen.stopping)
    start_response("200 OK", [])
    yield b"waits "
    after = ugreen.stopping.wait(60), ugreen.stopping.is_set()
    ugreen.run_in_thread(thread.join, 20)
    yield repr((before, after, answers)).encode()
""")
    with Server("waits", options=["--pythonpath", tmp_path, "--shutdown-timeout", "60"]) as server, server.connect() as client:
        client.sendall(get_bytes("/", "Connection: close\r\n"))
        read_until(client, b"waits ")
        server.send_signal(signal.SIGTERM)
        assert b"((False, False, '<ugreen.stopping, not set>'), (True, True), [True])" in read_all(client)
        assert server.wait_exit() == 0


def test_what_agents_and_frameworks_ask_the_module_for(tmp_path):
    (tmp_path / "asks.py").write_text("""
import os, uwsgi
at_import = [hasattr(uwsgi, "env"), hasattr(uwsgi, "mode"), uwsgi.listen_queue() if uwsgi.sockets else 0]

def application(environ, start_response):
    before = uwsgi.setprocname("asked"), open("/proc/self/cmdline", "rb").read().rstrip(b"\\0")
    try:
        uwsgi.listen_queue(9)
    except ValueError as error:
        wrong = str(error)
    start_response("200 OK", [])
    return [repr([
        at_import, [uwsgi.opt[name] for name in ("enable-threads", "lazy-apps", "mode")], uwsgi.mode, uwsgi.pidfile, uwsgi.magic_table[b"x"], uwsgi.magic_table[b"n"], uwsgi.buffer_size,
        uwsgi.is_a_reload, uwsgi.i_am_the_spooler(), uwsgi.env is environ, before, wrong, len(uwsgi.sockets), [(app["id"], app["mountpoint"], app["callable"] == id(application),
        app["requests"], app["exceptions"], app["chdir"] == os.getcwdb()) for app in uwsgi.workers()[0]["apps"]],
    ]).encode()]
""")
    (tmp_path / "site.ini").write_text(f"[uwsgi]\nmode = dev\nbuffer-size = 16384\npidfile = {tmp_path}/pid\n")
    with Server("asks", options=["--pythonpath", tmp_path, "--ini", tmp_path / "site.ini", "--socket", f"{tmp_path}/app.sock"]) as server:
        for number in range(2):
            assert ast.literal_eval(server.get("/").text) == [
                [False, True, 0], [True, True, b"dev"], b"dev", f"{tmp_path}/pid".encode(), b"uwsgi", b"site", 16384, False, None, True, (None, b"asked"), "unable to find socket 9", 2,
                [(0, b"", True, number, 0, True)]]


def test_the_environ_of_a_request_is_nobody_elses(server):
    """Also behind generators and a wait, and not in a thread or a spawned function."""
    def ask(i):
        return server.run(f"""
            import ugreen
            environ["mine"] = {i}
            def found():
                yield uwsgi.env["mine"]
                ugreen.sleep(0.01)
                yield uwsgi.env["mine"]
            inside = list(found())
            return inside, ugreen.run_in_thread(hasattr, uwsgi, "env"), ugreen.spawn(hasattr, uwsgi, "env").result()
            """)

    assert many(20, ask) == [[[i, i], False, False] for i in range(20)]


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_the_listen_queue_is_the_kernels(tmp_path, kind):
    """Connections that nobody accepts, because as many as may be are open."""
    (tmp_path / "queue_app.py").write_text("""
import uwsgi
def application(environ, start_response):
    start_response("200 OK", [])
    return [repr([uwsgi.listen_queue(n) for n in range(len(uwsgi.sockets))]).encode()]
""")
    path = f"{tmp_path}/http.sock"
    with Server("queue_app", options=["--pythonpath", tmp_path, "--http", path, "--max-connections", "1"]) as server, contextlib.closing(server.client()) as client:

        def queues():
            client.request("GET", "/")
            return ast.literal_eval(client.getresponse().read().decode())

        assert queues() == [0, 0]
        waiting = [socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET) for _ in range(5)]
        try:
            for one in waiting:
                one.connect(path if kind == "unix" else (server.host, server.port))
            # One may have been taken, and waits within the server for its turn.
            found = until(lambda: (now := queues())[kind == "unix"] >= 3 and now, "the connections to wait")
            assert found[kind == "tcp"] == 0
        finally:
            for one in waiting:
                one.close()


def test_finished_requests_are_counted(server):
    before = server.run("return uwsgi.total_requests()")
    with pytest.raises(Remote):
        server.run("raise ValueError")
    with pytest.raises(AssertionError):
        server.run("1/0; yield")
    after, worker = server.run("""
        worker, = uwsgi.workers()
        return uwsgi.total_requests(), {key: value for key, value in worker.items() if isinstance(value, int)}
    """)
    assert after - before == 3 and worker["requests"] == worker["delta_requests"] == after and worker["busy_cores"] == 1
    assert worker["exceptions"] >= 1 and worker["tx"] > 0 and worker["running_time"] >= worker["avg_rt"] > 0


# :: Signals: a master may be missing, and the targets are all this worker


def test_the_target_of_all_workers_is_this_one_too(server):
    assert server.run("""
        import ugreen
        seen = ugreen.Queue()
        uwsgi.register_signal(7, "workers", seen.put)
        uwsgi.register_signal(8, "worker1", seen.put)
        uwsgi.signal(7)
        first = seen.get(timeout=20)
        uwsgi.signal(8)
        return first, seen.get(timeout=20)
    """) == [7, 8]
