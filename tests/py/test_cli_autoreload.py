"""``--py-autoreload`` without a master: nobody replaces the worker, but the log says what was seen."""

import os

import pytest

from serving import APPS, Server

pytestmark = pytest.mark.waiting


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "helper.py").write_text("text = b'one'\n")
    (tmp_path / "quiet.py").write_text("")
    (tmp_path / "reloads.py").write_text("import helper, quiet\ndef application(environ, start_response):\n    start_response('200 OK', [])\n    return [helper.text]\n")
    return tmp_path


def test_a_changed_module_asks_for_one_reload(folder):
    with Server("reloads", options=["--pythonpath", folder, "--py-autoreload", "0.1", "--py-autoreload-ignore", "quiet"]) as server:
        assert server.get("/").text == "one"
        (folder / "quiet.py").write_text("# changed")
        os.utime(folder / "helper.py", (1, 1))
        changed = server.wait_log(r"cannot reload \(file changed: (.*)\): there is no master")
        assert changed[1] == str(folder / "helper.py")
        (folder / "reloads.py").write_text("# changed too")
        assert server.get("/").text == "one"
    assert server.log.count("file changed") == 1


def test_without_the_option_nobody_looks(folder):
    with Server("reloads", options=["--pythonpath", folder]) as server:
        assert server.get("/").text == "one"
        os.utime(folder / "helper.py", (1, 1))
        assert server.get("/").text == "one"
    assert "file changed" not in server.log


@pytest.mark.parametrize("value, error", [("often", "--py-autoreload: 'often' is not a number of seconds"), ("0.01", "--py-autoreload: 0.01 is out of range (0, or 0.1 to 86400 s)"), ("-1", "out of range")])
def test_values_that_make_no_sense(value, error):
    with Server("run_code", options=["--py-autoreload", value], ready=False) as server:
        assert server.wait_exit() == 2
    assert error in server.log


@pytest.mark.parametrize("mistake", ["1/0", "this is no Python", "raise SystemExit", "import no_such_module"])
def test_what_may_have_to_change_before_an_application_can_be_loaded(folder, mistake):
    (folder / "deeper.py").write_text(mistake + "\n")
    (folder / "broken.py").write_text("import helper, deeper\n")
    with Server("run_code", options=["--pythonpath", folder]) as server:
        found, problems = server.run("""
            from ugreen import _boot
            problems = []
            _boot._attempt(problems, "the application", _boot._import, folder + "/broken.py")
            return _boot.watched_files(), len(problems)
        """, folder=str(folder))
    assert problems == 1 and len(found) == len(set(found)) and all(os.path.isabs(name) for name in found)
    assert {str(folder / name) for name in ("broken.py", "deeper.py", "helper.py")} <= set(found), "the file, what failed, and what was loaded"
    # Of run_code itself: where it is, and where another may come.
    assert {str(APPS / "run_code.py"), str(folder / "run_code.py")} <= set(found)
    assert not any("uwsgi_shim" in name for name in found)
