"""Servers as child processes: a free port, what all processes of one have used, how one ended."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

from bench.common.machine import ROOT

#: Seconds; one that is built at its first start needs most of them.
START_TIMEOUT = 120
STOP_TIMEOUT = 20


class Trouble(Exception):
    """Why something could not be measured, in one line."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def tree(pid):
    """A process and all below it."""
    found, todo = [], [pid]
    while todo:
        pid = todo.pop()
        found.append(pid)
        # A process or a thread may end at any moment.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for thread in os.listdir(f"/proc/{pid}/task"):
                with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as children:
                    todo += map(int, children.read().split())
    return found


def cpu_of(pid):
    """CPU seconds, user and system, of a process and all below it that run, by the kernel's exact clock of each."""
    seconds = 0.0
    for process in tree(pid):
        with contextlib.suppress(OSError):
            # As clock_getcpuclockid() numbers the clock of another process; 2 is CPUCLOCK_SCHED.
            seconds += time.clock_gettime(~process << 3 | 2)
    return seconds


def memory_of(pid):
    """Bytes of memory of a process and all below it, what several share counted once: (all, what is not part of a file). The first depends on who else has mapped the same files."""
    total = own = 0
    for process in tree(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{process}/smaps_rollup", encoding="ascii") as rollup:
            sizes = {name: int(size) * 1024 for name, size in re.findall(r"^(\w+):\s+(\d+) kB", rollup.read(), re.MULTILINE)}
            total += sizes["Pss"]
            own += sizes["Pss_Anon"] + sizes["Pss_Shmem"]
    return total, own


#: Bytes of the stack that the kernel has for each thread (THREAD_SIZE on x86-64).
KERNEL_STACK = 16384


def kernel_memory_of(pid):
    """Bytes that the kernel holds for a process and all below it, as far as it says so: page tables, and the kernel's own stack of each thread."""
    total = 0
    for process in tree(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{process}/status", encoding="ascii", errors="replace") as status:
            sizes = {name: int(size) for name, size in re.findall(r"^(VmPTE|Threads):\s+(\d+)", status.read(), re.MULTILINE)}
            total += sizes.get("VmPTE", 0) * 1024 + sizes.get("Threads", 0) * KERNEL_STACK
    return total


def accepts(place):
    """Somebody listens on this port of 127.0.0.1, or on this Unix socket."""
    if isinstance(place, str):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as s:
            s.settimeout(1)
            s.connect(place)
            return True
        return False
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", place), 1):
        return True
    return False


class Child:
    """A server as a child process, with its output kept. ``ports`` are those on which it will listen; a text is the path of a Unix socket."""

    def __init__(self, name, command, ports, env=None):
        self.name, self._ports = name, ports
        self._output = tempfile.TemporaryFile("w+", errors="replace")
        try:
            self._process = subprocess.Popen([str(word) for word in command], cwd=ROOT, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=self._output, stderr=self._output,
                                             start_new_session=True)
        except OSError as error:
            self._output.close()
            raise Trouble(f"not there: {command[0]}: {error.strerror}") from None
        self.pid = self._process.pid

    def wait(self, timeout=START_TIMEOUT):
        """Until it listens; a Trouble with what it said when it does not."""
        end = time.monotonic() + timeout
        while not all(map(accepts, self._ports)):
            if self._process.poll() is not None:
                raise Trouble(f"it did not start: {self.why()}")
            if time.monotonic() > end:
                raise Trouble(f"it does not listen after {timeout} s: {self.last_line()}")
            time.sleep(0.02)

    @property
    def ended(self):
        return self._process.poll() is not None

    @property
    def log(self):
        self._output.seek(0)
        return self._output.read()

    def settle(self):
        """Whoever has just died by a signal may need a moment to be dead."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)

    def why(self):
        """How it ended."""
        code = self._process.poll()
        if code is None:
            return f"it runs; its last line is: {self.last_line()}"
        return f"killed by {signal.Signals(-code).name}: {self.last_line()}" if code < 0 else f"exit code {code}: {self.last_line()}"

    def last_line(self):
        lines = [line.strip() for line in self.log.splitlines() if line.strip()]
        # uWSGI says what killed it between exclamation marks, and prints a backtrace after that.
        return ([line for line in lines if "!!!" in line] or lines or ["it said nothing"])[-1][:160]

    def cpu(self):
        return cpu_of(self.pid)

    def memory(self):
        return memory_of(self.pid)[0]

    def stop(self):
        """By SIGTERM, and by SIGKILL when that does not help; what it started and left behind, too, since all are one process group."""
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_TIMEOUT)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._output.close()


class Server(Child):
    """A server with one port, from the moment it accepts connections there. What is wrong ends the program.

    command   a list of words, in which ``{port}`` stands for the port
    """

    def __init__(self, name, command, port=None, env=None):
        self.port = port or free_port()
        try:
            super().__init__(name, [str(word).replace("{port}", str(self.port)) for word in command], [self.port], env)
        except Trouble as trouble:
            raise SystemExit(f"{name}: {trouble}") from None
        try:
            self.wait()
        except Trouble as trouble:
            log = self.log
            self.stop()
            raise SystemExit(f"{name}: {trouble}\n{log}") from None
