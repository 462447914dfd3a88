"""The workloads that are more than a page under load: switches, queries, listeners, starts."""

import contextlib
import dataclasses
import http.client
import json
import subprocess
import sys
import time
import urllib.request

from bench.common.burst import burst
from bench.common.machine import PYTHON, ROOT
from bench.common.processes import Trouble, free_port
from bench.parking.clients import Listeners
from bench.running.load import Request, TooSlow, look, peak
from bench.running.results import Cell
from bench.running.servers import CONTENDERS, Running
from bench.starting.measure import NotStarted, first_200

CELL_TIMEOUT = 120

#: Round trips of a cell of bench/switching; 10,000 green threads make 100 each.
TRIPS = 1_000_000

#: Turns of all before anything counts: the JIT's last tier comes some hundred milliseconds after the code was first found busy.
WARM_TURNS = 2

#: metric: (green threads, Python frames held)
SWITCHES = {"ns_30": (30, 0), "ns_10000": (10_000, 0), "ns_30_frames_50": (30, 50)}

#: Suspends of each of thirty requests that measure themselves; enough that the start of the thirty does not count.
YIELDS = 10_000

#: 10,000 stacks must fit into 2 GiB; the size of a stack does not change the cost of a switch.
STACKS = ["--ugreen-spawn-max", "10000", "--ugreen-stacksize", "32"]

LISTENERS = 1000

#: Seconds in which a thousand listeners that have been told something go.
SETTLE_SECONDS = 0.5
QUERY_SECONDS = 0.05
QUERIES = 100


@contextlib.contextmanager
def trouble_of(cell, server=None):
    """Notes in the cell why its contender failed."""
    try:
        yield
    except (Trouble, NotStarted, OSError, ValueError, http.client.HTTPException, subprocess.SubprocessError) as error:
        cell.trouble = (str(error) or type(error).__name__) + (server.why() if server else "")


def in_turns(cells, plan, turn):
    """``turn(key, round)`` for all that have not failed."""
    for number in range(plan.rounds):
        for key in cells:
            if not cells[key].trouble:
                turn(key, number)


# :: Switches


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=CELL_TIMEOUT) as answer:
        return answer.read()


def switches(workload, keys, plan, steady):
    """The loops of bench/switch, and thirty requests that yield and look at the clock themselves."""
    cells = {key: Cell() for key in keys}
    with contextlib.ExitStack() as stack:
        servers = {}
        for key in keys:
            if key == "greenlet":
                continue
            with trouble_of(cells[key]):
                app, cores, options = ("bench.switching.app", 1, STACKS) if key == "ugreen" else (workload.app(CONTENDERS[key]), workload.cores, ())
                contender = CONTENDERS["ugreen" if key == "ugreen-yield" else key]
                servers[key] = stack.enter_context(Running(contender, app, cores, options)).wait()

        def turn(key, number):
            with trouble_of(cells[key], servers.get(key)):
                if key in ("ugreen", "greenlet"):
                    for metric in SWITCHES if key == "ugreen" else ["ns_30", "ns_30_frames_50"]:
                        cells[key].add(number, **{metric: switch_cell(key, servers, metric)})
                else:
                    burst(servers[key].port, 30, f"/?{YIELDS}", b"done\n")
                    cells[key].add(number, ns_yield=float(get(servers[key].port, "/ns")))

        # A JIT that still works for one server takes CPU from another. What these turns bring is written over by the first that counts.
        for _ in range(WARM_TURNS):
            in_turns(cells, dataclasses.replace(plan, rounds=1), turn)
        in_turns(cells, plan, turn)
    return cells


def switch_cell(key, servers, metric):
    cores, frames = SWITCHES[metric]
    if key == "ugreen":
        return json.loads(get(servers[key].port, f"/switch?cores={cores}&frames={frames}&trips={TRIPS}"))
    # Each time in a fresh process: greenlets of an earlier cell must not be in the way.
    words = [PYTHON, ROOT / "bench" / "switching" / "with_greenlet.py", "switch", cores, frames, TRIPS]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=CELL_TIMEOUT)
    if done.returncode:
        raise Trouble((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
    return float(done.stdout)


# :: A database


def queries(workload, keys, plan, steady):
    """A hundred requests at once, each with a query that sleeps; every contender has a hundred connections open."""
    sys.path.insert(0, str(ROOT / "tests" / "py"))
    import postgres

    cells = {key: Cell() for key in keys}
    options = {"ugreen": ["--psycopg2"]}
    with contextlib.ExitStack() as stack:
        try:
            database = stack.enter_context(postgres.Postgres(max_connections=len(keys) * QUERIES + 20))
        except (RuntimeError, AssertionError, OSError) as error:
            for cell in cells.values():
                cell.trouble = f"PostgreSQL: {error}"
            return cells
        servers = {}
        for key in keys:
            with trouble_of(cells[key]):
                app = workload.app(CONTENDERS[key])
                env = {**database.variables, "BENCH_CONNECTIONS": str(QUERIES)}
                servers[key] = stack.enter_context(Running(CONTENDERS[key], app, QUERIES, options.get(key, ()), env)).wait()
                for _ in range(2):
                    burst(servers[key].port, QUERIES, "/0.1", b"done\n")

        def turn(key, number):
            server = servers[key]
            with trouble_of(cells[key], server):
                cpu = server.cpu()
                seconds = burst(server.port, QUERIES, f"/{QUERY_SECONDS}", b"done\n")
                cells[key].add(number, seconds=seconds, cpu_us=(server.cpu() - cpu) / QUERIES * 1e6, memory=server.memory())

        in_turns(cells, plan, turn)
    return cells


# :: Listeners


def comet(workload, keys, plan, steady):
    """Hello world alone and, in the same turn on the same server, beside a thousand listeners to whom nothing is said."""
    cells = {key: Cell() for key in keys}
    request = workload.request
    with contextlib.ExitStack() as stack:
        servers = {}
        for key in keys:
            with trouble_of(cells[key]):
                servers[key] = stack.enter_context(Running(CONTENDERS[key], workload.app(CONTENDERS[key]), workload.cores)).wait()
                look(servers[key].port, request)
                peak(servers[key].port, request, plan.warm_seconds, workload.connections, True, CONTENDERS[key].closes)

        def p99(port, closes, rate):
            with contextlib.suppress(TooSlow):
                return steady.run(port, request, rate, plan.steady_seconds, workload.connections, True, closes).p99

        def turn(key, number):
            port, closes = servers[key].port, CONTENDERS[key].closes
            with trouble_of(cells[key], servers[key]), contextlib.closing(Listeners(port)) as listeners:
                alone = peak(port, request, plan.peak_seconds, workload.connections, True, closes)
                still = p99(port, closes, alone.rate / 2)
                held = listeners.open(LISTENERS)
                if held < LISTENERS:
                    raise Trouble(f"it holds {held} of {LISTENERS} listeners")
                beside = peak(port, request, plan.peak_seconds, workload.connections, True, closes)
                among = p99(port, closes, alone.rate / 2)
                cells[key].add(number, alone_rate=alone.rate, beside_rate=beside.rate, alone_p99=still, beside_p99=among, memory=servers[key].memory())
                # Who is parked does not notice that its client has left until it is told something; the next round needs the cores.
                listeners.close()
                look(port, Request("/", 6, b"the end\n"))
                # From outside nothing tells when the last of them has gone.
                time.sleep(SETTLE_SECONDS)

        in_turns(cells, plan, turn)
    return cells


# :: Starts


def starts(workload, keys, plan, steady):
    """From exec to the first 200, as bench/start has it. The first start of each only brings its files into memory."""
    cells = {key: Cell() for key in keys}

    def turn(key, number):
        contender, port = CONTENDERS[key], free_port()
        with trouble_of(cells[key]):
            cells[key].add(number, seconds=first_200(contender.command(workload.app(contender), f"127.0.0.1:{port}", workload.cores), port))

    # What this turn brings is written over by the first that counts.
    in_turns(cells, dataclasses.replace(plan, rounds=1), turn)
    in_turns(cells, plan, turn)
    return cells


RUNS = {"switch": switches, "database": queries, "comet": comet, "start": starts}
