"""examples/ugreenchat.py with a short memory and no patience, and a page /counts that says what it holds."""

import collections
import gc
import os

import uwsgi

from examples import ugreenchat

ugreenchat.HEARTBEAT = float(os.environ.get("UGREEN_TEST_HEARTBEAT", 0.2))
ugreenchat.ARRIVAL = 0.5
ugreenchat.messages = collections.deque(maxlen=20)

application = ugreenchat.application


@application.get("/counts")
def counts():
    gc.collect()
    return {
        "here": len(ugreenchat.here),
        "objects": len(gc.get_objects()),
        "fds": len(os.listdir("/proc/self/fd")),
        "resident": uwsgi.mem()[0],
    }
