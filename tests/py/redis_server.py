"""For tests: a throw-away Redis that keeps nothing. It runs in the foreground, and it is ended by its pid."""

import contextlib
import pathlib
import shutil
import subprocess
import tempfile
import time

from serving import PATIENCE, free_port


class Redis:
    """A running Redis server; use it as a context manager."""

    def __init__(self):
        self.port = None
        self._process = None
        self._folder = None

    def __enter__(self):
        program = shutil.which("redis-server")
        if program is None:
            raise RuntimeError("there is no redis-server: install Debian's package of this name")
        self._folder = tempfile.TemporaryDirectory(prefix="ugreen-test-redis-")
        self.folder = pathlib.Path(self._folder.name)
        self.port = free_port()
        try:
            with open(self.folder / "log", "wb") as log:
                command = [program, "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no", "--dir", str(self.folder), "--daemonize", "no"]
                self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
        self._folder.cleanup()

    @property
    def log(self):
        """What it has written."""
        return (self.folder / "log").read_text(errors="replace")

    def client(self):
        """A ``redis.Redis`` for it."""
        import redis

        return redis.Redis(host="127.0.0.1", port=self.port)

    def _wait(self):
        import redis

        end = time.monotonic() + PATIENCE
        while True:
            assert self._process.poll() is None, f"Redis ended: {self.log[-4000:]}"
            with contextlib.suppress(redis.ConnectionError), self.client() as client:
                client.ping()
                return
            assert time.monotonic() < end, f"Redis takes no connections after {PATIENCE} s: {self.log[-4000:]}"
            time.sleep(0.05)
