"""A wait of 10 ms, on uWSGI. Its ``async_sleep()`` knows whole seconds only, so each core has a timerfd and waits for that. The wait is yielded; see suspend_yield.py."""

import ctypes
import os
import time

import uwsgi

libc = ctypes.CDLL(None, use_errno=True)
TEN_MILLISECONDS = (ctypes.c_long * 4)(0, 0, 0, 10_000_000)

timers = {}


def timer_of(core):
    if core not in timers:
        timers[core] = libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
    return timers[core]


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    timer = timer_of(environ["uwsgi.core"])
    libc.timerfd_settime(timer, 0, TEN_MILLISECONDS, None)
    yield uwsgi.wait_fd_read(timer)
    os.read(timer, 8)
    yield b"done\n"
