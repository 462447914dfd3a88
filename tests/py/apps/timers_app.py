"""Timers that are made while the application is imported, by it and by another OS thread, and that run until the server stops."""

import threading

import ugreen
import uwsgi

seen = {}
all_there = ugreen.Event()


def note(name):
    seen[name] = uwsgi.async_id() >= 0
    if len(seen) == 3:
        all_there.set()


@ugreen.every(0.01)
def tick():
    note("every")


def other_thread():
    ugreen.every(0.01, lambda: note("from a thread"))


thread = threading.Thread(target=other_thread)
thread.start()
thread.join()
ugreen.after(0.01, note, "once")
never = ugreen.after(0, note, "cancelled before the server was ready")
never.cancel()


@ugreen.every(0.02)
def raises():
    if "raised" not in globals():
        globals()["raised"] = True
        print("raises runs", flush=True)
        1 / 0


@ugreen.every(0.01)
def rests():
    print("rests runs", flush=True)
    try:
        ugreen.sleep(3600)
    except BaseException as error:
        print(f"rests is ended by {type(error).__name__}", flush=True)
        raise


@ugreen.every(0.003)
def computes():
    if "computed" not in globals():
        globals()["computed"] = True
        print("computes runs", flush=True)
    sum(range(10_000))


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    assert all_there.wait(20)
    return [f"{'on core' if all(seen.values()) else 'elsewhere'}: {', '.join(sorted(seen, key='every, from a thread, once'.find))}".encode()]
