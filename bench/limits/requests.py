"""Requests per second for 13 bytes, for ``bench/limit``: UGreen.Py beside Kestrel alone and nginx."""

import re
import subprocess
import sys

from bench.common.figures import ratio, spread
from bench.common.machine import ROOT
from bench.common.processes import Server
from bench.limits.servers import build_kestrel

CONNECTIONS = 50

# What wrk sends beside the request line and the host.
MODES = {"kept open": [], "a connection for each request": ["-H", "Connection: close"]}
FIELDS = ("rate", "cpu", "median", "p99")

_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


def start_servers(stack):
    """All three, each on a port of its own; the stack ends them."""
    kestrel, environment = build_kestrel()
    ours = [ROOT / "ugreen-py", "-w", "bench.limits.hello", "--http", "127.0.0.1:{port}", "--async", "100", "--ugreen", "--disable-logging"]
    wanted = [("UGreen.Py", ours, None), ("Kestrel alone", [kestrel, "{port}"], environment), ("nginx", [ROOT / "bench" / "limit", "nginx", "--port", "{port}"], None)]
    servers = []
    for name, command, env in wanted:
        servers.append(Server(name, command, env=env))
        stack.callback(servers[-1].stop)
    return servers


def load(server, mode, seconds):
    """One run of wrk: requests per second, CPU of the server per request in µs, latency in ms (median, 99th percentile)."""
    before = server.cpu()
    command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--latency", *MODES[mode], f"http://127.0.0.1:{server.port}/"]
    text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 60).stdout
    used = server.cpu() - before
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"{server.name}:\n{text}")
    latency = {rank: float(number) * _UNITS[unit] for rank, number, unit in re.findall(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)$", text, re.MULTILINE)}
    done = int(re.search(r"(\d+) requests in", text)[1])
    return {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), "cpu": used / done * 1e6, "median": latency["50"], "p99": latency["99"]}


def one_round(servers, results, seconds):
    """Load each server once more in each way; ``results`` maps (mode, server, field) to its list of figures."""
    for mode in MODES:
        for server in servers:
            for field, value in load(server, mode, seconds).items():
                results.setdefault((mode, server.name, field), []).append(value)


def print_tables(servers, results):
    """A table for each way of asking; ratios are the median over the rounds of what was measured in the same round."""
    ours = servers[0].name
    for mode in MODES:
        print(f"\n{CONNECTIONS} connections, {mode}: median (lowest-highest)\n\n"
              "| server | requests per second | CPU per request, µs | median, ms | p99, ms | UGreen.Py serves of this | and takes of its CPU |\n|---|---:|---:|---:|---:|---:|---:|")
        for server in servers:
            of = {field: results[mode, server.name, field] for field in FIELDS}
            serves, takes = (ratio(results[mode, ours, field], results[mode, server.name, field]) for field in ("rate", "cpu"))
            print(f"| {server.name} | {spread(of['rate'], ',.0f')} | {spread(of['cpu'], '.1f')} | {spread(of['median'], '.2f')} | {spread(of['p99'], '.2f')} | {serves:.2f} | {takes:.1f}x |")


def warm_up(servers, seconds):
    """The JIT's last tier, caches."""
    for mode in MODES:
        for server in servers:
            load(server, mode, seconds)
    print("warmed up", file=sys.stderr)
