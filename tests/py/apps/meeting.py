"""A barrier for green threads: makes sure that requests really run side by side before a test looks for what one does to another."""

import time

import uwsgi

_arrived = {}


def meet(name, n, seconds=30):
    """Return when n green threads have called this with the same name; raise after some seconds. Names are used once."""
    _arrived[name] = _arrived.get(name, 0) + 1
    end = time.monotonic() + seconds
    while _arrived[name] < n:
        if time.monotonic() > end:
            raise TimeoutError(f"only {_arrived[name]} of {n} green threads came to {name!r}")
        uwsgi.suspend()
