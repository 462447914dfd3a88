"""Signals, timers and hooks that are set up while the application is imported, and that live until the server stops."""

import json
import os
import sys

import ugreen
import uwsgi
from uwsgidecorators import filemon, postfork, timer

handled = []
hooks = []
there = []


def attempt(function, *arguments):
    try:
        return f"returned {function(*arguments)!r}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def on_signal(number):
    handled.append(number)
    print("signal handled", flush=True)
    try:
        ugreen.sleep(3600)
    except BaseException as error:
        print(f"rests is ended by {type(error).__name__}", flush=True)
        raise


@timer(0.02)
def on_timer(number):
    if "timer" not in handled:
        handled.append("timer")
        print("timer handled", flush=True)


@filemon(os.environ["WATCHED"])
def on_file(number):
    print("file handled", flush=True)


@postfork
def decorated():
    hooks.append("decorated")
    there.append(callable(getattr(sys.modules[__name__], "application", None)))


@postfork
def fails():
    1 / 0


uwsgi.post_fork_hook = lambda: hooks.append("uwsgi.post_fork_hook")
uwsgi.register_signal(200, "workers", on_signal)
uwsgi.signal(200)
at_import = {
    "twice": attempt(uwsgi.register_signal, 200, "", on_timer),
    "the same twice": attempt(uwsgi.register_signal, 200, "", on_signal),
    "wait": attempt(uwsgi.signal_wait, 200),
    "handled": list(handled),
}


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"at import": at_import, "hooks": hooks, "application was there": all(there)}).encode()]
