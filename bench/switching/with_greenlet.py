"""The loops of ``app.py`` with greenlet (Debian's python3-greenlet): a hub greenlet that switches to each worker in turn.

Run as ``with_greenlet.py switch CORES FRAMES TRIPS`` or ``with_greenlet.py memory CORES``; prints one number.
"""

import os
import sys
import time

import greenlet


def switch(cores, frames, trips):
    each = max(1, trips // cores)
    hub = greenlet.getcurrent()

    def loop():
        to_hub = hub.switch
        for _ in range(each):
            to_hub()

    def deep(left):
        if left:
            deep(left - 1)
        else:
            loop()

    workers = [greenlet.greenlet(deep) for _ in range(cores)]
    # One turn for all: every worker has made its frames and is inside its loop when the clock starts.
    for worker in workers:
        worker.switch(frames)
    switches = [worker.switch for worker in workers]
    start = time.perf_counter_ns()
    for _ in range(each - 1):
        for to_worker in switches:
            to_worker()
    return (time.perf_counter_ns() - start) / max(1, (each - 1) * cores)


def memory(cores):
    hub = greenlet.getcurrent()

    def wait():
        hub.switch()

    def resident():
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    before = resident()
    workers = [greenlet.greenlet(wait) for _ in range(cores)]
    for worker in workers:
        worker.switch()
    return (resident() - before) / cores


if __name__ == "__main__":
    print({"switch": switch, "memory": memory}[sys.argv[1]](*map(int, sys.argv[2:])))
