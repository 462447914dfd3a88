"""The page of ``bench/scale``: a fixed piece of work, nothing but Python's interpreter, BENCH_ROWS long."""

import os
import time


def work(rows):
    return "".join(f"<tr><td>{i}</td><td>{i * i % 97}</td></tr>" for i in range(rows))


def rows_for(milliseconds):
    """How many rows take that long, by the fastest of some tries: the work shall not depend on who else was running just now. Asked once, for all workers."""
    best = float("inf")
    for _ in range(20):
        begun = time.perf_counter()
        work(2000)
        best = min(best, time.perf_counter() - begun)
    return max(1, round(2000 * milliseconds / 1000 / best))


ROWS = int(os.environ.get("BENCH_ROWS", "1"))


def application(environ, start_response):
    # The work is measured, not the network: a part of it is sent.
    body = work(ROWS)[-2000:].encode()
    start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(body)))])
    return [body]
