"""What the module ``uwsgi`` tells of the server as a whole, and what it can ask of it: in a server without a master."""

import time

import pytest

from serving import Server


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
