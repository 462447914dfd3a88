"""--py-autoreload: a changed file is served within moments, a broken one leaves what there was, and its repair is seen."""

import os
import textwrap

import pytest

from masters import Master
from serving import until

pytestmark = pytest.mark.waiting


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "text_module.py", "TEXT = 'one'\n")
    write(tmp_path / "site_app.py", """
        import text_module

        def application(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [text_module.TEXT.encode()]
    """)
    return tmp_path


def write(path, text):
    # As editors do: a new file in the place of the old one. So it has another inode, also within one tick of the file system's clock.
    fresh = path.with_suffix(".tmp")
    fresh.write_text(textwrap.dedent(text))
    os.replace(fresh, path)


def serve(folder, workers=1, **more):
    return Master("site_app", workers=workers, options=["--pp", folder, "--py-autoreload", "0.2"], **more)


def answers(server, text):
    until(lambda: server.get("/").text == text, f"the answer {text!r}")


def test_a_changed_module_is_served(folder):
    with serve(folder, workers=2) as server:
        assert server.get("/").text == "one"
        begin = len(server.log)
        write(folder / "text_module.py", "TEXT = 'two'\n")
        server.wait_log("reload: done", start=begin)
        # The old worker drains: it may have accepted one connection more.
        answers(server, "two")
        # Both workers have seen the change; it is one reload all the same.
        assert server.log[begin:].count("replacing 2 workers") == 1, server.log[begin:]
        assert "text_module.py" in server.log[begin:]


def test_a_broken_module_leaves_what_there_was_and_its_repair_is_seen(folder):
    with serve(folder) as server:
        begin = len(server.log)
        write(folder / "text_module.py", "TEXT = = 'two'\n")
        server.wait_log("reload given up", start=begin)
        assert "SyntaxError" in server.log[begin:] and server.get("/").text == "one"
        write(folder / "text_module.py", "TEXT = 'three'\n")
        answers(server, "three")


def test_a_module_that_only_the_broken_version_imports_is_watched_too(folder):
    with serve(folder) as server:
        begin = len(server.log)
        write(folder / "fresh_module.py", "TEXT = = 'new'\n")
        write(folder / "text_module.py", "from fresh_module import TEXT\n")
        server.wait_log("reload given up", start=begin)
        write(folder / "fresh_module.py", "TEXT = 'new'\n")
        answers(server, "new")


def test_a_first_start_that_fails_waits_for_its_repair(folder):
    write(folder / "site_app.py", "import nothing_of_the_kind\n")
    with serve(folder, ready=False, wait=False) as server:
        server.wait_log("waiting for a change")
        assert server.running
        write(folder / "site_app.py", "from text_module import TEXT\n\ndef application(environ, start_response):\n    start_response('200 OK', [])\n    return [TEXT.encode()]\n")
        server.wait_ready()
        answers(server, "one")


def test_what_may_change_does_not_matter(folder):
    with Master("site_app", workers=1, options=["--pp", folder, "--py-autoreload", "0.1", "--py-autoreload-ignore", "text_module"]) as server:
        write(folder / "text_module.py", "TEXT = 'two'\n")
        # A change that does matter comes after it: when that has been seen, the first one was looked at long before.
        begin = len(server.log)
        os.utime(folder / "site_app.py", (1, 1))
        server.wait_log("reload: done", start=begin)
        assert "text_module.py" not in server.log
