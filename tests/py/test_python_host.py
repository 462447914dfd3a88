"""A process that serves runs in Python's own executable (adr/0034): what it is then to the system, to the application and to what that starts, and what happens where it cannot be."""

import os
import pathlib
import shutil
import signal
import subprocess

import pytest
from masters import Master
from programs import CLEAN, EXECUTABLE, LIBRARY, SERVER, VERSION, any_library, arguments, as_nobody, as_root, environment, exe, give_capability, lines_until, maps, open_files, open_to_all
from serving import ROOT, Server, until

# The preloaded library is machine code of that processor; elsewhere libpython is loaded, as the other tests have it.
pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="x86-64 only")


@pytest.fixture(scope="module")
def server():
    with Server("run_code", options=["--http-timeout", "59"]) as s:
        yield s


def test_the_process_is_python_and_looks_like_the_server(server):
    assert exe(server.pid) == EXECUTABLE
    assert "libpython" not in maps(server.pid)
    assert pathlib.Path(f"/proc/{server.pid}/comm").read_text() == "ugreen-py\n"
    shown = arguments(server.pid)
    assert shown[0].endswith("/ugreen-py") and "as_library.py" not in " ".join(shown) and shown[shown.index("--http-timeout") + 1] == "59", shown
    server.wait_log(rf"python +3\.11\.\d+ \({EXECUTABLE}\)")


def test_the_application_sees_nothing_of_it(server):
    assert environment(server) == CLEAN
    assert server.run("import sys\nreturn sys.executable, sys.argv, sys.prefix, sys.flags.safe_path, sys.modules['__main__'].__dict__.get('__file__')") == [EXECUTABLE, ["uwsgi"], "/usr", False, None]
    assert not [name for name in open_files(server.pid) if "memfd:ugreen-py" in name], "the preloaded library's file is still open"


def test_extension_modules_find_the_interpreter(server):
    assert server.run("import ctypes, _ssl, _sqlite3, _decimal, _multiprocessing\nreturn ctypes.pythonapi.Py_GetVersion is not None") is True


def test_the_front_was_warm_before_the_first_request():
    """Of a warm-up that fails there is one line for debugging."""
    with Server("run_code", options=["--socket", "127.0.0.1:0", "--log-level", "debug"]) as server:
        server.stop()
        assert "could not be warmed up" not in server.log


def test_python_starts_python(server):
    """multiprocessing's spawn runs sys.executable, which is the program that this process runs too."""
    assert server.run("import subprocess, sys\nreturn subprocess.run([sys.executable, '-c', 'print(6 * 7)'], capture_output=True, text=True).stdout") == "42\n"


@pytest.mark.parametrize("preload", ["", "{library}"])
def test_what_the_user_preloads_is_preloaded(preload):
    preload = preload.format(library=any_library())
    with Server("run_code", env={"LD_PRELOAD": preload}) as server:
        assert exe(server.pid) == EXECUTABLE
        assert environment(server) == {"LD_PRELOAD": preload, "UGREEN_HOST": None}
        assert ("libBrokenLocale" in maps(server.pid)) == bool(preload)


def test_a_named_library_is_loaded():
    with Server("run_code", options=["--python", LIBRARY]) as server:
        assert os.path.basename(exe(server.pid)) == "ugreen-py" and f"libpython{VERSION}" in maps(server.pid)
        assert server.run("return 1") == 1


def test_a_python_without_a_shared_library(tmp_path):
    """A copy of the executable, of which nobody knows where its libpython would be."""
    program = tmp_path / "bin" / f"python{VERSION}"
    program.parent.mkdir()
    shutil.copy(EXECUTABLE, program)
    with Server("run_code", options=["--python", program]) as server:
        assert exe(server.pid) == str(program) and "libpython" not in maps(server.pid)
        assert server.run("import sys\nreturn sys.executable") == str(program)


def test_a_virtualenv_runs_in_its_base(tmp_path):
    subprocess.run([EXECUTABLE, "-m", "venv", "--without-pip", str(tmp_path / "env")], check=True, timeout=120)
    for options in (["-H", tmp_path / "env"], ["--python", tmp_path / "env" / "bin" / "python"]):
        with Server("run_code", options=options) as server:
            assert exe(server.pid) == EXECUTABLE
            assert server.run("import sys\nreturn sys.prefix") == str(tmp_path / "env")


def test_relative_paths_begin_at_chdir(tmp_path):
    subprocess.run([EXECUTABLE, "-m", "venv", "--without-pip", str(tmp_path / "env")], check=True, timeout=120)
    with Server("run_code", options=["--chdir", tmp_path, "-H", "env"], cwd=tmp_path) as server:
        assert exe(server.pid) == EXECUTABLE


def test_workers_run_in_it_and_their_master_does_not():
    with Master("run_code", workers=2) as server:
        assert os.path.basename(exe(server.pid)) == "ugreen-py"
        for number, pid in server.workers().items():
            assert exe(pid) == EXECUTABLE and arguments(pid) == [f"ugreen-py worker {number} of {server.pid}"]
        assert environment(server) == CLEAN

        before = server.workers()
        os.kill(before[1], signal.SIGKILL)
        until(lambda: server.workers().get(1, before[1]) != before[1], "another worker 1")
        assert exe(server.workers()[1]) == EXECUTABLE


def test_in_the_background(tmp_path):
    pidfile, log = tmp_path / "pid", tmp_path / "log"
    started = subprocess.run(
        [str(ROOT / "ugreen-py"), "-w", "examples.hello", "--http", "127.0.0.1:0", "--pidfile", str(pidfile), "--daemonize", str(log)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert started.returncode == 0, started
    pid = int(pidfile.read_text())
    try:
        assert exe(pid) == EXECUTABLE and f"({EXECUTABLE})" in log.read_text()
    finally:
        os.kill(pid, signal.SIGTERM)
        until(lambda: not os.path.exists(f"/proc/{pid}"), "the end of the server")


# :: Where the dynamic loader does not preload


def test_python_without_the_preload_becomes_the_server_again(monkeypatch, capfd):
    """As Python does when LD_PRELOAD was ignored: it runs the script."""
    monkeypatch.setenv("UGREEN_PY", f"{EXECUTABLE} {SERVER / 'as_library.py'}")
    with Server("run_code", env={"UGREEN_HOST": "99:", "LD_PRELOAD": "/proc/self/fd/99"}) as server:
        server.wait_log("warn .*the dynamic loader refused to run this server in Python's executable")
        assert f"libpython{VERSION}" in maps(server.pid) and os.path.basename(exe(server.pid)) == "ugreen-py"
        assert environment(server) == CLEAN


@as_root
def test_a_python_with_file_capabilities(tmp_path):
    """For such a program the loader ignores LD_PRELOAD (ld.so(8), secure-execution mode)."""
    program = tmp_path / "bin" / f"python{VERSION}"
    program.parent.mkdir()
    shutil.copy(EXECUTABLE, program)
    give_capability(program)
    open_to_all(tmp_path)
    with as_nobody(SERVER / "ugreen-py", "-w", "nothing_there", "--http", "127.0.0.1:0", "--python", program) as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1 and "the dynamic loader refused to run this server in Python's executable" in said, said


@as_root
def test_a_server_with_file_capabilities_keeps_them(tmp_path):
    """Python's executable would not have them."""
    server = tmp_path / "artifacts" / "server"
    shutil.copytree(SERVER.resolve(), server)
    (tmp_path / "python").symlink_to(ROOT / "python")
    give_capability(server / "ugreen-py")
    open_to_all(tmp_path)
    with as_nobody(server / "ugreen-py", "-w", "wsgiref.simple_server:demo_app", "--http", "127.0.0.1:0") as process:
        try:
            said = lines_until(process, "listening on")
            assert "listening on" in said, said
            assert exe(process.pid) == str(server / "ugreen-py") and f"libpython{VERSION}" in maps(process.pid)
        finally:
            process.terminate()
            process.wait(30)
