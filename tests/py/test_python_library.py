"""A process that loads libpython has the preloaded library in this server's own program (adr/0044): blocking calls wait green there as in Python's executable, the process looks as if
nothing had happened, and where it cannot be, the log says why."""

import contextlib
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import time

import pytest
from masters import Master
from programs import CLEAN, EXECUTABLE, LIBRARY, SERVER, VERSION, any_library, arguments, as_nobody, as_root, environment, exe, give_capability, lines_until, maps, open_files, open_to_all
from serving import ROOT, Server, many, until
from test_blocking import ALONE, AT_ONCE, CORES, IN_TURN, at_once

pytestmark = [pytest.mark.skipif(os.uname().machine != "x86_64", reason="x86-64 only"), pytest.mark.skipif(LIBRARY is None, reason="no libpython")]

OPTIONS = ["--python", LIBRARY]
BLOCKS = "blocking calls hold up the worker: "
OWN = os.path.realpath(SERVER / "ugreen-py")

# One of each kind. With UGREEN_PYTHON=/usr/lib/…/libpython3.11.so.1.0 all of test_blocking.py runs in this way.
TOGETHER = ["sleep", "recv", "read_socket", "pipe", "connect_unix", "poll", "epoll", "subprocess", "child", "queue", "join", "asyncio", "names", "file_lock", "who", "import"]

# The words of the library's data, and of its file's header (ElfImage).
PROGRAM_HEADERS, HEADER_BYTES = 64, 56


def waits_green(server, count=10, seconds=0.3):
    began = time.monotonic()
    many(count, lambda i: server.run("import time\ntime.sleep(seconds)", seconds=seconds))
    return time.monotonic() - began < count * seconds / 2


def dotnet():
    return pathlib.Path((ROOT / "artifacts" / "launcher" / "dotnet-root").read_text().strip()) / "dotnet"


@pytest.fixture(scope="module")
def blocking():
    with Server("blocking_app", cores=CORES, options=[*OPTIONS, "--ugreen-threads", AT_ONCE]) as s:
        yield s


@pytest.fixture(scope="module")
def server():
    # Not UTF-8, and with a blank: as it was given.
    with Server("run_code", options=[*OPTIONS, "--set", "odd= \udcff", "--http-timeout", "59"]) as s:
        yield s


# :: It works


@pytest.mark.parametrize("way", TOGETHER)
def test_waits_together(blocking, way):
    assert at_once(blocking, "/" + way) < AT_ONCE * ALONE / 2


@pytest.mark.parametrize("way", IN_TURN)
def test_exclude_each_other(blocking, way):
    assert at_once(blocking, "/" + way) < 5


@pytest.mark.parametrize("path", ["/bad", "/forked", "/send_much", "/interrupted?way=sleep", "/interrupted?way=lock", "/interrupted?way=recv", "/alarm_sleep", "/alarm_lock"])
def test_edges(blocking, path):
    at_once(blocking, path, 1)


# :: The process


def test_the_process_is_the_one_that_was_started(server):
    """Same pid, same program, same arguments: to systemd, a pidfile or a shell nothing has happened."""
    assert exe(server.pid) == OWN and f"libpython{VERSION}" in maps(server.pid)
    assert pathlib.Path(f"/proc/{server.pid}/comm").read_text() == "ugreen-py\n"
    assert arguments(server.pid)[1:] == server.args[1:]
    assert server.run("import os\nreturn os.getpid()") == server.pid
    assert not server.warnings


def test_the_application_sees_nothing_of_it(server):
    assert environment(server) == CLEAN
    assert not [name for name in open_files(server.pid) if "memfd:ugreen-py" in name], "the preloaded library's file is still open"


def test_signals_are_as_ever(server):
    """Ignored ones and the mask survive an exec; nothing of ours stays in them."""
    code = "import os, re\ntext = open(f'/proc/{pid}/status').read()\nreturn {n: int(re.search(n + r':\\s*(\\w+)', text)[1], 16) for n in ('SigBlk', 'SigIgn')}"
    with Server("run_code", options=["--ugreen-blocking=false", *OPTIONS]) as plain:
        assert server.run(code, pid=server.pid) == plain.run(code, pid=plain.pid)
        assert not waits_green(plain, 3)
        assert "memfd:ugreen-py" not in maps(plain.pid), "it was started again for nothing"


@pytest.mark.parametrize("preload", ["", "{library}"])
def test_what_the_user_preloads_is_preloaded(preload):
    preload = preload.format(library=any_library())
    with Server("run_code", options=OPTIONS, env={"LD_PRELOAD": preload}) as server:
        assert environment(server) == {"LD_PRELOAD": preload, "UGREEN_HOST": None}
        assert ("libBrokenLocale" in maps(server.pid)) == bool(preload)
        assert waits_green(server)


def test_workers_wait_green_from_reload_to_reload():
    with Master("run_code", workers=2, options=OPTIONS) as server:
        assert "memfd:ugreen-py" not in maps(server.pid), "the master runs no Python"
        before = server.workers()
        assert all(exe(pid) == OWN and arguments(pid) == [f"ugreen-py worker {number} of {server.pid}"] for number, pid in before.items())
        assert environment(server) == CLEAN and waits_green(server)
        os.kill(before[1], signal.SIGKILL)
        until(lambda: server.workers().get(1, before[1]) != before[1], "another worker 1")
        start = len(server.log)
        server.send_signal(signal.SIGHUP)
        server.wait_log(r"worker 1 \(pid \d+\) serves", start=start)
        server.wait_log(r"worker 2 \(pid \d+\) serves", start=start)
        assert environment(server) == CLEAN and waits_green(server)
        assert not [line for line in server.warnings if BLOCKS in line]


def test_in_the_background(tmp_path):
    pidfile, log = tmp_path / "pid", tmp_path / "log"
    started = subprocess.run(
        [str(ROOT / "ugreen-py"), "-w", "run_code", "--pythonpath", str(ROOT / "tests/py/apps"), "--http", "127.0.0.1:0", "--pidfile", str(pidfile), "--daemonize", str(log), *OPTIONS],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert started.returncode == 0, started
    pid = int(pidfile.read_text())
    try:
        assert f"pid {pid}" in started.stdout and exe(pid) == OWN and "memfd:ugreen-py" in maps(pid)
        server = Server()
        server.host, server.port = "127.0.0.1", int(re.search(r"listening on http://127\.0\.0\.1:(\d+)", log.read_text())[1])
        assert environment(server) == CLEAN and waits_green(server)
    finally:
        os.kill(pid, signal.SIGTERM)
        until(lambda: not os.path.exists(f"/proc/{pid}"), "the end of the server")


@pytest.mark.parametrize("workers", [None, 1])
def test_under_the_command_dotnet(monkeypatch, workers):
    """Also with a libpython of its own choice: Python's executable is for this server's."""
    monkeypatch.setenv("UGREEN_PY", f"{dotnet()} exec {SERVER / 'ugreen-py.dll'}")
    with Server("run_code") if workers is None else Master("run_code", workers=workers) as server:
        pid = server.workers()[1] if workers else server.pid
        assert os.path.basename(exe(pid)) == "dotnet" and f"libpython{VERSION}" in maps(pid)
        assert environment(server) == CLEAN and waits_green(server)


def test_python_that_was_refused_still_waits_green(monkeypatch):
    """Its program preloads nothing (file capabilities, for example), this server's does."""
    monkeypatch.setenv("UGREEN_PY", f"{EXECUTABLE} {SERVER / 'as_library.py'}")
    with Server("run_code", env={"UGREEN_HOST": "99:", "LD_PRELOAD": "/proc/self/fd/99"}) as server:
        server.wait_log("warn .*the dynamic loader refused to run this server in Python's executable")
        assert environment(server) == CLEAN and waits_green(server)


@as_root
@pytest.mark.parametrize("options", [OPTIONS, []])
def test_the_library_of_another_version_is_replaced(options, tmp_path, monkeypatch):
    """As a master that was started before an update gives it to a worker of now."""
    with Server("run_code", options=options) as server:
        first = re.search(r"^(\S+) .*memfd:ugreen-py", maps(server.pid), re.MULTILINE)[1]
        image = bytearray(pathlib.Path(f"/proc/{server.pid}/map_files/{first}").read_bytes())
    data = struct.unpack_from("<q", image, PROGRAM_HEADERS + HEADER_BYTES + 8)[0]
    image[data] ^= 1
    old = tmp_path / "old.so"
    old.write_bytes(image)
    monkeypatch.setenv("UGREEN_PY", str(SERVER / "ugreen-py") if options else f"{EXECUTABLE} {SERVER / 'as_library.py'}")
    with Server("run_code", options=options, env={"UGREEN_HOST": "99:" + ("o" if options else ""), "LD_PRELOAD": str(old), "DOTNET_ROOT": str(dotnet().parent)}) as server:
        assert exe(server.pid) == (OWN if options else EXECUTABLE)
        assert environment(server) == CLEAN and waits_green(server)


# :: Where it cannot be


@pytest.mark.parametrize("explicit", [False, True])
def test_a_loader_that_leaves_it_out(explicit):
    """As it looks to a server whose LD_PRELOAD came to nothing. It does not try for ever."""
    options = [*OPTIONS, "--ugreen-blocking"] if explicit else OPTIONS
    why = r"the dynamic loader has left out what it was to preload \(LD_PRELOAD\)"
    with Server("run_code", options=options, env={"UGREEN_HOST": "99:o", "LD_PRELOAD": "/proc/self/fd/99"}, ready=False) as server:
        if explicit:
            assert server.wait_exit() == 1
            assert re.search("ugreen-py: --ugreen-blocking=true: blocking calls cannot wait green here: " + why, server.log)
            return
        server.wait_ready()
        server.wait_log("warn .*" + BLOCKS + why)
        assert environment(server) == CLEAN and not waits_green(server, 3)


@as_root
def test_a_server_with_file_capabilities(tmp_path):
    """For such a program the loader ignores LD_PRELOAD (ld.so(8), secure-execution mode)."""
    server = tmp_path / "artifacts" / "server"
    shutil.copytree(SERVER.resolve(), server)
    (tmp_path / "python").symlink_to(ROOT / "python")
    give_capability(server / "ugreen-py")
    open_to_all(tmp_path)
    why = "this program's file has capabilities or is set-user-ID, so the dynamic loader preloads nothing"
    command = [server / "ugreen-py", "-w", "wsgiref.simple_server:demo_app", "--http", "127.0.0.1:0"]
    for more in ([], ["--master", "-p", "1"]):
        with as_nobody(*command, *more) as process:
            try:
                said = lines_until(process, "listening on", BLOCKS + why)
                assert said.count(BLOCKS) == 1 and "listening on" in said, said
            finally:
                process.terminate()
                process.wait(30)
        with as_nobody(*command, *more, "--ugreen-blocking=true") as process:
            said, _ = process.communicate(timeout=60)
        assert process.returncode != 0 and "--ugreen-blocking=true: blocking calls cannot wait green here: " + why in said, said


# memfd_create, number 319, is answered with EPERM (linux/filter.h, linux/seccomp.h): load the call's number; is it that one; refuse; allow.
WITHOUT_MEMFD = """
import ctypes, os, struct, sys
code = b"".join(struct.pack("<HBBI", *step) for step in [(0x20, 0, 0, 0), (0x15, 0, 1, 319), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)])
steps = ctypes.create_string_buffer(code, len(code))
program = ctypes.create_string_buffer(struct.pack("<H6xQ", 4, ctypes.addressof(steps)))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.byref(program)) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.parametrize("options", [OPTIONS, []])
def test_a_sandbox_without_memfd_create(options, tmp_path, monkeypatch):
    script = tmp_path / "sandbox.py"
    script.write_text(WITHOUT_MEMFD)
    monkeypatch.setenv("UGREEN_PY", f"{EXECUTABLE} {script} {ROOT / 'ugreen-py'}")
    with Server("run_code", options=options) as server:
        server.wait_log("warn .*" + BLOCKS + "there is no place for what is to be preloaded: memfd_create: Operation not permitted")
        assert environment(server) == CLEAN and not waits_green(server, 3)


def test_with_the_posix_switch_it_is_off():
    with Server("run_code", options=[*OPTIONS, "--ugreen-switch", "posix"]) as server:
        server.wait_log(BLOCKS + "with --ugreen-switch posix they do not wait green")
        assert "memfd:ugreen-py" not in maps(server.pid) and not waits_green(server, 3)
    with Server("run_code", options=[*OPTIONS, "--ugreen-switch", "posix", "--ugreen-blocking=on"], ready=False) as server:
        assert server.wait_exit() == 2
        assert "ugreen-py: --ugreen-blocking=true and --ugreen-switch posix exclude each other" in server.log


def test_asked_for_and_there():
    with Server("run_code", options=[*OPTIONS, "--ugreen-blocking=true"]) as server:
        assert waits_green(server)


# :: What is preloaded is a file of nobody


def test_no_folder_is_needed_and_nothing_is_left(tmp_path):
    """Where others can write they could put a library of theirs in the place of ours; where nobody can, there would be none. It lies in memory."""
    tmp_path.chmod(0o555)
    with Server("run_code", options=OPTIONS, env={"TMPDIR": tmp_path, "DOTNET_EnableDiagnostics": "0"}) as server:
        files = {line.split(maxsplit=5)[5] for line in maps(server.pid).splitlines() if "ugreen-py" in line and "ugreen-py.dll" not in line and OWN not in line}
        assert {name for name in files if not name.startswith(str(SERVER.resolve()))} == {"/memfd:ugreen-py (deleted)"}
        assert waits_green(server)
        server.kill()
    assert not list(tmp_path.iterdir())


def test_servers_that_are_killed_while_they_start_harm_no_other():
    dice = random.Random(44)
    victims = [Server("run_code", options=OPTIONS, ready=False) for _ in range(6)]
    with contextlib.ExitStack() as stack:
        for victim in victims:
            stack.callback(victim.kill)
            victim.start()
            # From the first runtime's start to the second's, wherever that is on this machine.
            with contextlib.suppress(TimeoutError):
                until(lambda v=victim: not v.running, "an end that does not come", timeout=dice.uniform(0, 0.4))
            victim.send_signal(signal.SIGKILL)
        with Server("run_code", options=OPTIONS) as one, Server("run_code", options=OPTIONS) as other:
            assert waits_green(one) and waits_green(other)
            assert not one.warnings and not other.warnings
