"""For tests: a throw-away nginx. Its files are in a folder of its own, it runs in the foreground, and it is ended by its pid."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

from serving import PATIENCE, until

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"

CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ }}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    uwsgi_temp_path {folder}/uwsgi;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
{http}
}}
"""


class Nginx:
    """A running nginx; use it as a context manager.

    http   what stands in the ``http`` block: ``server`` and ``upstream`` blocks
    ports  the ports of 127.0.0.1 that these listen on; it is ready when all accept connections
    """

    def __init__(self, http, ports):
        self.http, self.ports = http, ports
        self._folder = tempfile.TemporaryDirectory(prefix="ugreen-test-nginx-")
        self.folder = pathlib.Path(self._folder.name)

    def __enter__(self):
        # "include uwsgi_params;" is looked for beside the configuration, as in /etc/nginx.
        (self.folder / "uwsgi_params").symlink_to("/etc/nginx/uwsgi_params")
        (self.folder / "nginx.conf").write_text(CONFIGURATION.format(folder=self.folder, http=self.http))
        # As root nginx would give its workers away to a user who may not enter the folder.
        user = ["-g", "user root;"] if os.geteuid() == 0 else []
        with open(self.folder / "output", "w") as output:
            self._process = subprocess.Popen([NGINX, *user, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            until(lambda: self._process.poll() is not None or all(map(accepts, self.ports)), "nginx listens")
            assert self._process.poll() is None, f"nginx ended: {self.log}"
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
            self._folder.cleanup()

    @property
    def log(self):
        """Its error log and what it printed."""
        return "".join((self.folder / name).read_text() for name in ("output", "error.log") if (self.folder / name).exists())


def accepts(port):
    """Somebody listens on this port of 127.0.0.1."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), PATIENCE):
        return True
    return False
