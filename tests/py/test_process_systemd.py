"""Under systemd: sockets that are passed, what the service manager is told, its watchdog, the unit files."""

import contextlib
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pytest
from serving import PATIENCE, ROOT, Server, command, free_port, read_all, until

pytestmark = pytest.mark.waiting

# Runs a command as systemd would: the sockets from 3 on, LISTEN_PID is its own pid.
_PASS = """
import fcntl, os, sys
names, numbers = sys.argv[1], [int(n) for n in sys.argv[2].split(",")]
high = [fcntl.fcntl(n, fcntl.F_DUPFD_CLOEXEC, 100) for n in numbers]
for i, n in enumerate(high):
    os.dup2(n, 3 + i, inheritable=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(numbers)), LISTEN_FDNAMES=names)
os.execvp(sys.argv[3], sys.argv[3:])
"""


class Activated(Server):
    """A server that gets these listening sockets; ``names`` is LISTEN_FDNAMES."""

    def __init__(self, app, sockets, names="", **more):
        super().__init__(app, http=None, **more)
        self._sockets, self._names = sockets, names

    def start(self):
        numbers = [s.fileno() for s in self._sockets]
        real, popen = subprocess.Popen, subprocess.Popen
        self.args = [sys.executable, "-c", _PASS, self._names, ",".join(map(str, numbers)), *self.args]
        subprocess.Popen = lambda *args, **kwargs: real(*args, **kwargs, pass_fds=numbers)
        try:
            super().start()
        finally:
            subprocess.Popen = popen

    def wait_ready(self):
        self.wait_log(r"listening on \S+")


@contextlib.contextmanager
def listeners(*paths):
    """A TCP listener of 127.0.0.1 (None) or one at a path, each."""
    with contextlib.ExitStack() as stack:
        made = []
        for path in paths:
            s = stack.enter_context(socket.socket(socket.AF_INET if path is None else socket.AF_UNIX))
            s.bind(("127.0.0.1", 0) if path is None else str(path))
            s.listen(64)
            made.append(s)
        yield made


def ask(address, path="/", timeout=PATIENCE):
    with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as s:
        s.settimeout(timeout)
        s.connect(address)
        s.sendall(b"GET " + path.encode() + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return read_all(s)


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="ugreen-systemd-") as name:
        os.chmod(name, 0o777)
        yield pathlib.Path(name)


# :: Sockets


def test_passed_sockets_are_served_instead_of_the_default(folder):
    path = folder / "app.sock"
    with listeners(None, path) as (tcp, unix):
        with Activated("examples.hello", [tcp, unix], "web:local") as server:
            port = tcp.getsockname()[1]
            server.wait_log(rf"listening on http://127\.0\.0\.1:{port}\nlistening on http://unix:{path}\n")
            assert b"200 OK" in ask(tcp.getsockname()) and b"200 OK" in ask(str(path))
            assert "no option uses it" not in server.log
        # The file is systemd's; and its socket still listens, for the next server.
        assert path.exists()
        with Activated("examples.hello", [tcp, unix]):
            assert b"200 OK" in ask(tcp.getsockname()) and b"200 OK" in ask(str(path))


def test_passed_sockets_by_name():
    with listeners(None, None) as (first, second):
        with Activated("examples.hello", [first, second], "one:two", options=["--http", "fd://two"]) as server:
            server.wait_log(rf"listening on http://127\.0\.0\.1:{second.getsockname()[1]}\n")
            server.wait_log(r"warn  server: socket fd://3 \(one\) was passed to the server, and no option uses it \(--http fd://3\)")
            assert b"200 OK" in ask(second.getsockname())


def test_a_name_that_no_socket_has():
    with listeners(None) as sockets:
        with Activated("examples.hello", sockets, "one", options=["--http", "fd://two"], ready=False) as server:
            assert server.wait_exit() == 2
            assert server.log.startswith("ugreen-py: --http 'fd://two': 'two' is not a file descriptor"), server.log


def test_neither_variables_nor_sockets_reach_programs_of_the_application():
    with listeners(None) as (tcp,):
        with Activated("run_code", [tcp], "web") as server:
            server.host, server.port = tcp.getsockname()
            code = """
                import subprocess
                return [sorted(n for n in os.environ if n.startswith(("LISTEN_", "NOTIFY_", "WATCHDOG_"))),
                        subprocess.run(["sh", "-c", "env | grep -c LISTEN_; readlink /proc/self/fd/3"], close_fds=False, capture_output=True, text=True).stdout]
            """
            assert server.run(code) == [[], "0\n"]


def test_variables_for_another_process_are_ignored():
    with Server("run_code", env={"LISTEN_PID": "1", "LISTEN_FDS": "1"}) as server:
        assert "was passed" not in server.log


def test_systemd_socket_activate():
    """The real one: it starts the server at the first connection, which is answered."""
    port = free_port()
    root = (ROOT / "artifacts/launcher/dotnet-root").read_text().strip()
    process = subprocess.Popen(
        ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", "--fdname=web", "-E", f"DOTNET_ROOT={root}", *command(), "-w", "examples.hello", "--http", "fd://web"],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        until(lambda: connectable(port), "systemd-socket-activate listens")
        assert b"Hello from a green thread" in ask(("127.0.0.1", port))
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            output = process.communicate(timeout=PATIENCE)[0].decode()
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert process.returncode == 0 and f"listening on http://127.0.0.1:{port}\n" in output, output


def connectable(port):
    return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:])


# :: What the manager is told


class Manager:
    """A socket as systemd's; abstract when no path is given."""

    def __init__(self, path=None):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = str(path) if path else f"\0ugreen-notify-{os.getpid()}-{id(self)}"
        self.socket.bind(name)
        self.env = {"NOTIFY_SOCKET": name.replace("\0", "@")}

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()

    def next(self, timeout=PATIENCE):
        """The lines of the next message; None after the time."""
        if not select.select([self.socket], [], [], timeout)[0]:
            return None
        return self.socket.recv(4096).decode().split("\n")

    def wait(self, line):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            message = self.next(end - time.monotonic())
            if message and line in message:
                return message
        raise TimeoutError(line)


@pytest.mark.parametrize("at_path", [True, False])
def test_ready_and_stopping(folder, at_path):
    with Manager(folder / "notify" if at_path else None) as manager:
        with Server("run_code", env=manager.env) as server:
            assert manager.next() == ["READY=1", "STATUS=serving run_code:application"]
            assert server.run("return os.environ.get('NOTIFY_SOCKET')") is None
            assert manager.next(0) is None
        assert manager.next() == ["STOPPING=1", "STATUS=stopping"]
        assert manager.next(0) is None


def test_not_ready_when_the_application_fails():
    with Manager() as manager, Server("no_such_module", env=manager.env, ready=False) as server:
        assert server.wait_exit() == 1
        assert manager.next(0) is None


def test_a_manager_that_is_gone_is_a_warning(folder):
    with Server("run_code", env={"NOTIFY_SOCKET": str(folder / "gone")}) as server:
        server.wait_log(r'warn  server: systemd cannot be told "READY=1" \(NOTIFY_SOCKET\): ')
        assert server.run("return 1") == 1


def test_the_watchdog_is_fed_until_the_hub_hangs():
    with Manager() as manager:
        with Server("run_code", env={**manager.env, "WATCHDOG_USEC": "400000"}) as server:
            for _ in range(3):
                manager.wait("WATCHDOG=1")
            # A C call that holds the GIL: no green thread runs, and the hub does not either. Until somebody opens the pipe's other end.
            with hanging_pipe() as (path, release):
                with contextlib.closing(server.client()) as client:
                    client.request("POST", "/", '{"code": "import ctypes\\nc = ctypes.PyDLL(None)\\nc.open(path.encode(), 0)\\nreturn 1", "values": {"path": "%s"}}' % path)
                    server.wait_log(r"error server: the hub has not answered for .*watchdog is not fed")
                    while manager.next(0):
                        pass
                    assert manager.next(1.5) is None, "fed although the hub hangs"
                    release()
                    manager.wait("WATCHDOG=1")
                    assert client.getresponse().status == 200


@contextlib.contextmanager
def hanging_pipe():
    """A named pipe whose opening for reading hangs until release() is called."""
    with tempfile.TemporaryDirectory() as name:
        path = os.path.join(name, "pipe")
        os.mkfifo(path)
        ends = []

        def release():
            ends.append(os.open(path, os.O_RDWR | os.O_NONBLOCK))

        try:
            yield path, release
        finally:
            if not ends:
                release()
            for end in ends:
                os.close(end)


def test_no_watchdog_for_another_process():
    with Manager() as manager:
        with Server("run_code", env={**manager.env, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"}) as server:
            assert manager.next()[0] == "READY=1"
            assert server.run("time.sleep(0.2)\nreturn 1") == 1
            assert manager.next(0) is None


# :: Units


def test_systemd_accepts_the_units(folder):
    for unit in (ROOT / "packaging").glob("ugreen-py@.*"):
        text = unit.read_text().replace("/opt/ugreen-py/ugreen-py", str(ROOT / "ugreen-py"))
        (folder / unit.name.replace("@.", "@site.")).write_text(text)
        (folder / unit.name).write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", *map(str, sorted(folder.glob("ugreen-py@site.*")))], capture_output=True, text=True, timeout=PATIENCE)
    # Lines about other units of the machine are not ours.
    assert done.returncode == 0 and "ugreen-py" not in done.stderr, done.stderr


def test_the_units_fit_the_server():
    text = (ROOT / "packaging/ugreen-py@.service").read_text()
    help_text = subprocess.run([*command(), "--help"], capture_output=True, text=True, timeout=PATIENCE).stdout
    grace = int(re.search(r"--shutdown-timeout.*default (\d+)", help_text)[1])
    assert int(re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)[1]) > grace
    for option in re.findall(r"--[a-z-]+", re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)[1]):
        assert option in help_text
