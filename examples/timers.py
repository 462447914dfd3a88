"""The load of this machine, measured every second beside the requests; the page shows the last minute.

Run:  ./ugreen-py -w examples.timers
"""

import collections
import os
import time

import ugreen

measured = collections.deque(maxlen=60)


@ugreen.every(1, now=True)
def measure():
    measured.append(f"{time.strftime('%H:%M:%S')}  {os.getloadavg()[0]:.2f}\n")


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8"), ("Refresh", "1")])
    return ["".join(measured).encode()]
