"""The two servers of ``bench/limit`` that have no application behind them: Kestrel alone, and nginx."""

import ctypes
import os
import signal
import subprocess
import tempfile

from bench.common import nginx as nginx_files
from bench.common.machine import ROOT
from bench.common.projects import build_project

PROJECT = "bench/limits/kestrel/UGreen.Py.Bench.Kestrel.csproj"

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
        command = nginx_files.prepare(folder, port, nginx_files.HELLO, backlog=512)
        # The signals wait until somebody is there to hand them to.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        nginx = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_end_with_parent)
        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
        return nginx.wait()


def _end_with_parent():
    """In the child before it becomes nginx: whoever kills the process above it by SIGKILL leaves no nginx behind."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
