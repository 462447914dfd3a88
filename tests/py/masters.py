"""The harness for servers with a master: which processes there are, when each worker began to serve, and that none is left when the server has ended.

    with Master("chaos_app", workers=3) as server:      # waits until all of them serve
        server.workers()                                # {1: pid, 2: pid, 3: pid}
    # here no process of it is left, or the test has failed
"""

import collections
import os
import pathlib
import re
import signal
import subprocess
import time
import uuid

from serving import PATIENCE, Server, until

_SERVES = re.compile(r"worker (\d+) \(pid (\d+)\) serves")

#: A process that a server has left behind. ``title`` is its command line.
Process = collections.namedtuple("Process", "pid parent title")


def status_of(pid):
    """The fields of /proc/<pid>/stat from the state on; None when there is no such process."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def is_alive(pid):
    """It runs: neither gone nor a zombie that waits for its parent (of an orphan that may be a container's first process, which does not care)."""
    fields = status_of(pid)
    return fields is not None and fields[0] not in "ZX"


class Master(Server):
    """A Server with ``--master`` and that many workers (None: the test gives the options). ``wait``: until all of them serve."""

    def __init__(self, app=None, workers=2, cores=30, options=(), env=None, wait=True, **more):
        #: In the environment of every process that descends from this server, whatever becomes of its parents.
        self.mark = f"UGREEN_TEST_SERVER={uuid.uuid4().hex}"
        own = ["--master", "-p", workers] if workers is not None else []
        super().__init__(app, cores, [*own, *options], {**(env or {}), "UGREEN_TEST_SERVER": self.mark.partition("=")[2]}, **more)
        self._count, self._wait = workers, wait

    def start(self):
        super().start()
        if self._ready and self._wait and self._count:
            try:
                self.wait_workers(self._count)
            except BaseException:
                self.kill()
                raise

    def __exit__(self, kind, error, trace):
        try:
            super().__exit__(kind, error, trace)
            if kind is None:
                self.assert_nothing_left()
        finally:
            self.kill_family()

    def kill(self):
        super().kill()
        self.kill_family()

    # :: Processes

    def family(self):
        """All its processes that run, the master too: those with its mark, or with a worker's title that names it."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                title = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
                environ = pathlib.Path(f"/proc/{entry}/environ").read_bytes()
            except OSError:
                continue
            fields = status_of(entry)
            if fields is None or fields[0] in "ZX":
                continue
            if self.mark.encode() in environ.split(b"\0") or int(fields[1]) == self.pid or re.search(rf"worker \d+ of {self.pid}\b", title):
                found.append(Process(int(entry), int(fields[1]), title))
        return found

    def children(self):
        """Processes whose parent is the master."""
        return [process for process in self.family() if process.parent == self.pid]

    def assert_nothing_left(self, timeout=5):
        """No process of it runs. A moment is allowed: the kernel takes processes away one after the other."""
        try:
            until(lambda: not self.family(), "the server's processes are gone", timeout)
        except TimeoutError:
            raise AssertionError(f"left after the server had ended: {self.family()}\n{self.log[-8000:]}") from None

    def kill_family(self):
        """After a failure: what is left must not disturb the next test."""
        if self._process is not None:
            for process in self.family():
                try:
                    os.kill(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass

    def stop(self, timeout=PATIENCE):
        super().stop(timeout)

    def wait_exit(self, timeout=PATIENCE):
        try:
            return super().wait_exit(timeout)
        except subprocess.TimeoutExpired:
            raise
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.family()}") from None

    # :: Workers

    def served(self):
        """(worker, pid) of every worker that ever began to serve, in that order."""
        return [(int(number), int(pid)) for number, pid in _SERVES.findall(self.log)]

    def workers(self):
        """Worker number to the pid of its newest process that serves, those that run now."""
        newest = dict(self.served())
        return {number: pid for number, pid in sorted(newest.items()) if is_alive(pid)}

    def wait_workers(self, count, timeout=PATIENCE, without=()):
        """Wait until that many workers serve, none of them one of the pids ``without``; returns workers()."""
        end = time.monotonic() + timeout
        while True:
            found = {number: pid for number, pid in self.workers().items() if pid not in without}
            if len(found) >= count:
                return found
            left = end - time.monotonic()
            assert left > 0, f"{len(found)} of {count} workers served within {timeout} s: {found}\n{self.log[-8000:]}"
            assert self.running, f"the master ended, exit code {self.exit_code}:\n{self.log[-8000:]}"
            with self._changed:
                self._changed.wait(min(left, 0.1))

    def wait_served(self, worker, after, timeout=PATIENCE):
        """Wait until this worker serves with another process than ``after``; returns its pid."""
        found = self.wait_log(rf"worker {worker} \(pid (?!{after}\))(\d+)\) serves", timeout, self.log.index(f"(pid {after}) serves"))
        return int(found[1])
