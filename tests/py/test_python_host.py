"""A process that serves runs in Python's own executable (adr/0034): what it is then to the system, to the application and to what that starts, and what happens where it cannot be."""

import contextlib
import glob
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest
from masters import Master
from serving import PYTHON_VERSION, ROOT, Server, until

VERSION = "%d.%d" % PYTHON_VERSION
EXECUTABLE = f"/usr/bin/python{VERSION}"
SERVER = ROOT / "artifacts" / "server"
LIBRARY = next(iter(glob.glob(f"/usr/lib/*/libpython{VERSION}.so.1.0")), None)

# The preloaded library is machine code of that processor; elsewhere libpython is loaded, as the other tests have it.
pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="x86-64 only")

ENVIRONMENT = "import os, subprocess\nreturn {n: os.environ.get(n) for n in names}, subprocess.run(['/usr/bin/env'], capture_output=True, text=True).stdout"
NAMES = ["LD_PRELOAD", "UGREEN_HOST"]


def exe(pid):
    return os.readlink(f"/proc/{pid}/exe")


def maps(pid):
    return pathlib.Path(f"/proc/{pid}/maps").read_text()


def open_files(pid):
    found = []
    for fd in glob.glob(f"/proc/{pid}/fd/*"):
        # Some are closed while we look.
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(fd))
    return found


def arguments(pid):
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode().split("\0")


def environment(server):
    """What the application and a program that it starts see of the variables that the start uses."""
    own, child = server.run(ENVIRONMENT, names=NAMES)
    assert {n: v for n, v in own.items() if v is not None} == dict(re.findall(r"^(LD_PRELOAD|UGREEN_HOST)=(.*)$", child, re.MULTILINE))
    return own


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
    assert environment(server) == {"LD_PRELOAD": None, "UGREEN_HOST": None}
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
    library = next(iter(glob.glob("/usr/lib/*/libBrokenLocale.so.1") + glob.glob("/lib/*/libBrokenLocale.so.1")))
    preload = preload.format(library=library)
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
        assert environment(server) == {"LD_PRELOAD": None, "UGREEN_HOST": None}

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
    with Server("run_code", env={"UGREEN_HOST": "99", "LD_PRELOAD": "/proc/self/fd/99"}) as server:
        server.wait_log("warn .*the dynamic loader refused to run this server in Python's executable")
        assert f"libpython{VERSION}" in maps(server.pid) and os.path.basename(exe(server.pid)) == "ugreen-py"
        assert environment(server) == {"LD_PRELOAD": None, "UGREEN_HOST": None}


def give_capability(path):
    """cap_net_bind_service, permitted and effective, as ``setcap`` writes it (linux/capability.h, version 2)."""
    revision, effective, bind_service = 0x02000000, 1, 1 << 10
    os.setxattr(path, "security.capability", b"".join(n.to_bytes(4, "little") for n in (revision | effective, bind_service, 0, 0, 0)))


def open_to_all(path):
    for folder in (path, *path.parents):
        if folder != pathlib.Path("/") and folder.stat().st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o055)


def as_nobody(*command):
    """A program of a user who has no capability by himself."""
    return subprocess.Popen(list(map(str, command)), cwd="/", user=65534, group=65534, extra_groups=[], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env={**os.environ, "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"})


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives file capabilities and becomes another user")


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
            said = []
            for line in process.stdout:
                said.append(line)
                if "listening on" in line:
                    break
            assert said and "listening on" in said[-1], said
            assert exe(process.pid) == str(server / "ugreen-py") and f"libpython{VERSION}" in maps(process.pid)
        finally:
            process.terminate()
            process.wait(30)
