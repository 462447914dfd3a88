"""The two servers of ``bench/limit`` that have no application behind them: Kestrel alone, and nginx."""

import ctypes
import os
import pathlib
import signal
import subprocess
import tempfile

from bench.common.machine import ROOT, which
from bench.common.projects import build_project

PROJECT = "bench/limits/kestrel/UGreen.Py.Bench.Kestrel.csproj"

# One worker process, as the others have. It closes no connection by itself while it is measured.
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
worker_processes 1;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    server_tokens off;
    default_type text/plain;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    uwsgi_temp_path {folder}/uwsgi;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=512;
        location / {{ return 200 "Hello, world!"; }}
    }}
}}
"""

_PR_SET_PDEATHSIG = 1


def build_kestrel():
    """Build it if a source changed; return the program and the environment that it needs."""
    environment = build_project(PROJECT, "kestrel", "bench/limit", "bench/limits/kestrel", "src/UGreen.Py.Front/BlockPool.cs")
    return ROOT / "artifacts" / "bench" / "kestrel" / "kestrel-alone", environment


def become_kestrel(port):
    """Replace this process by Kestrel; does not return."""
    program, environment = build_kestrel()
    os.execve(program, [str(program), str(port)], environment)


def serve_with_nginx(port):
    """Run a throw-away nginx until SIGTERM or SIGINT; return its exit code. A process of ours stays above it, to take its folder away."""
    def end(number, frame):
        nginx.send_signal(signal.SIGTERM)

    with tempfile.TemporaryDirectory(prefix="ugreen-bench-nginx-") as folder:
        configuration = pathlib.Path(folder) / "nginx.conf"
        configuration.write_text(NGINX.format(folder=folder, port=port))
        # As root nginx would give its worker away to a user who may not enter the folder.
        user = ["-g", "user root;"] if os.geteuid() == 0 else []
        # The signals wait until somebody is there to hand them to.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        nginx = subprocess.Popen([which("nginx"), *user, "-p", folder, "-c", str(configuration)], stdin=subprocess.DEVNULL, preexec_fn=_end_with_parent)
        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
        return nginx.wait()


def _end_with_parent():
    """In the child before it becomes nginx: whoever kills the process above it by SIGKILL leaves no nginx behind."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
