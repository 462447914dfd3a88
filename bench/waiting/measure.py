"""The measurements of ``bench/blocking``: all contenders of one are started, then measured in turns. Each gives cells by contender."""

import contextlib
import http.client
import os
import queue
import subprocess
import threading
import time
import urllib.request

from bench.common.burst import burst
from bench.common.machine import PYTHON, ROOT
from bench.common.processes import Trouble, kernel_memory_of
from bench.running.results import Cell
from bench.running.servers import Running
from bench.waiting import calls, trips
from bench.waiting.contenders import APPS, CONTENDERS, ENVIRONMENTS, WORKLOADS, see_tests

DONE = b"done\n"
PATIENCE = 120

#: Bursts before any counts: the JIT's last tier, every connection of a pool.
WARM_BURSTS = 10

#: Turns of the calls before any counts.
WARM_TURNS = 2

#: Ten requests each, before memory is looked at, and seconds after them.
WARM_REQUESTS = 30
SETTLE_SECONDS = 0.5

#: Seconds between two looks at the memory.
LOOK_EVERY = 0.05


@contextlib.contextmanager
def trouble_of(cell, server=None):
    """Notes in the cell why its contender failed."""
    try:
        yield
    except (Trouble, OSError, ValueError, http.client.HTTPException, subprocess.SubprocessError) as error:
        cell.trouble = (str(error) or type(error).__name__) + (server.why() if server else "")


def in_turns(cells, rounds, turn):
    """``turn(key, round)`` for all that have not failed; in each round another one begins."""
    keys = list(cells)
    for number in range(rounds):
        for key in keys[number % len(keys):] + keys[:number % len(keys)]:
            if not cells[key].trouble:
                turn(key, number)


class Program:
    """One of the programs of this folder, in plain Python: a line in, a number out."""

    def __init__(self, name, *arguments, env=None):
        command = [PYTHON, "-m", f"bench.waiting.{name}", *map(str, arguments)]
        self._process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ask(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise Trouble((self.stop().strip().splitlines() or ["it said nothing"])[-1])
        return float(answer)

    def stop(self):
        """End it; what it said of errors."""
        with contextlib.suppress(ValueError, BrokenPipeError):
            return self._process.communicate(timeout=PATIENCE)[1]
        return ""


# :: Bursts


def bursts(key, plan, services):
    """``plan.requests`` at once, each waiting ``plan.seconds``: seconds until the last is answered, CPU of the server for each."""
    see_tests()
    workload = WORKLOADS[key]
    cells = {name: Cell() for name in workload.contenders}
    try:
        env = services.env(workload.needs)
    except (Trouble, RuntimeError, AssertionError, OSError, subprocess.SubprocessError) as error:
        return {name: Cell(trouble=f"{workload.needs}: {error}") for name in cells}
    path = f"/{plan.seconds:g}"
    servers, hopeless = {}, set()
    with contextlib.ExitStack() as stack:
        for name, cell in cells.items():
            with trouble_of(cell, servers.get(name)):
                servers[name] = stack.enter_context(Running(CONTENDERS[name], workload.app, plan.requests, (), {**env, **ENVIRONMENTS.get(name, {})})).wait()
                # One alone: who has not loaded the application yet may listen all the same.
                burst(servers[name].port, 1, "/0.001", DONE)
                for _ in range(WARM_BURSTS):
                    if burst(servers[name].port, plan.requests, path, DONE) > plan.requests * plan.seconds / 2:
                        hopeless.add(name)
                        cell.note("one after the other, so it was measured once")
                        break

        def turn(name, number):
            server, cell = servers[name], cells[name]
            if name in hopeless and number:
                return
            with trouble_of(cell, server):
                before = server.cpu()
                seconds = burst(server.port, plan.requests, path, DONE)
                cell.add(number, seconds=seconds, times=seconds / plan.seconds, cpu_us=(server.cpu() - before) / plan.requests * 1e6)

        in_turns(cells, plan.rounds, turn)
    cells["python"] = alone(workload, plan, env)
    return cells


def alone(workload, plan, env):
    """The CPU of the call by itself, made in turn in a plain program: what no server takes away."""
    cell = Cell()
    command = [PYTHON, "-m", "bench.waiting.alone", workload.app, f"{plan.seconds / 10:g}", str(plan.requests)]
    with trouble_of(cell):
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode:
            raise Trouble((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
        cell.add(0, cpu_us=float(done.stdout) * 1e6)
    return cell


# :: Memory


def memory(plan):
    """``plan.sleepers`` requests at once that sleep: what the server's memory grows by until all do, for each. A server's first such burst; the next would find what this one left."""
    cells = {name: Cell() for name in ("ugreen", "gthread", "gevent")}

    def turn(name, number):
        cell = cells[name]
        with trouble_of(cell), Running(CONTENDERS[name], WORKLOADS["sleep"].app, plan.sleepers) as server:
            server.wait()
            # What code takes that runs for the first time is no request's.
            for _ in range(WARM_REQUESTS):
                burst(server.port, 10, "/0.01", DONE)
            time.sleep(SETTLE_SECONDS)
            own, kernel = held(server)
            seconds, peaks = watched(server, plan)
            own_peak, kernel_peak = map(max, zip(*peaks))
            kib, kernel_kib = ((peak - idle) / 1024 / plan.sleepers for peak, idle in ((own_peak, own), (kernel_peak, kernel)))
            cell.add(number, kib=kib, kernel_kib=kernel_kib, both_kib=kib + kernel_kib, idle=own / 2**20, seconds=seconds, times=seconds / plan.sleep_seconds)

    in_turns(cells, plan.memory_rounds, turn)
    return cells


def held(server):
    """Bytes of memory: what all its processes hold, and what the kernel holds for them."""
    return server.memory() * 2**20, kernel_memory_of(server.pid)


def watched(server, plan):
    """One burst, and what the server held meanwhile."""
    answers = queue.SimpleQueue()

    def run():
        try:
            answers.put(burst(server.port, plan.sleepers, f"/{plan.sleep_seconds:g}", DONE))
        except (Trouble, OSError) as error:
            answers.put(error)

    thread = threading.Thread(target=run)
    thread.start()
    peaks = []
    while thread.is_alive():
        peaks.append(held(server))
        thread.join(LOOK_EVERY)
    answer = answers.get()
    if isinstance(answer, Exception):
        raise answer
    return answer, peaks


# :: From inside a request


def get(server, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=PATIENCE) as answer:
        return float(answer.read())


def inside(names, module, contenders, plan, count_of):
    """
    Figures that a request takes of itself, beside those of a plain program: by name, cells by contender. All of them start anew now and then: where a process has its code and data is luck.
    """
    found = {name: {contender: Cell() for contender in contenders} for name in names}
    troubles = {contender: Cell() for contender in contenders}
    each = -(-plan.call_rounds // plan.starts)
    for number in range(0, plan.call_rounds, each):
        with contextlib.ExitStack() as stack:
            ask = {}
            for contender, cell in troubles.items():
                if CONTENDERS[contender].command:
                    with trouble_of(cell):
                        server = stack.enter_context(Running(CONTENDERS[contender], APPS + "inside", 4)).wait()
                        ask[contender] = lambda name, count, server=server: get(server, f"/{name}/{count}")
                else:
                    program = Program(module, contender)
                    stack.callback(program.stop)
                    ask[contender] = lambda name, count, program=program: program.ask(f"{name} {count}")

            def turn(contender, number):
                with trouble_of(troubles[contender]):
                    for name in names:
                        found[name][contender].add(number, ns=ask[contender](name, count_of(name)))

            # What these turns bring is written over by the first that counts.
            in_turns(troubles, WARM_TURNS, lambda contender, _: turn(contender, number))
            in_turns(troubles, each, lambda contender, more: turn(contender, number + more))
    for cells in found.values():
        for contender, cell in cells.items():
            cell.trouble = troubles[contender].trouble
    return found


def quick_calls(plan):
    """What does not wait, within a request and in a plain program, alone and beside another thread: the kernel and the C library have shorter ways in a process with one thread only."""
    cheap = {"lock", "rlock", "ident"}
    return inside(calls.CALLS, "calls", ["ugreen", "off", "two", "python"], plan, lambda name: plan.calls * (10 if name in cheap else 1))


def round_trips(plan):
    """Waits that end at once: one green thread waits for another."""
    return inside(trips.TRIPS, "trips", ["ugreen", "threads"], plan, lambda name: plan.trips)
