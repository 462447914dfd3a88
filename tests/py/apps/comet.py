"""A channel: GET /listen?heartbeat=SECONDS parks until messages come, POST / publishes one, GET /counts tells what is left of those that listened."""

import gc
import json
import os
import weakref
from urllib.parse import parse_qs

import ugreen
import uwsgi

HEARTBEAT = b".\n"

#: Those that listen, or are remembered by anybody.
alive = weakref.WeakSet()


class Message:
    """Who listens waits for the last one, which is not published yet."""

    def __init__(self):
        self.published = ugreen.Event()
        self.text = None
        self.next = None


class Listener:
    """Only there to be counted."""


latest = Message()


def publish(text):
    global latest
    message, latest = latest, Message()
    message.text, message.next = text, latest
    message.published.set()


def listen(heartbeat):
    me = Listener()
    alive.add(me)
    message = latest
    yield b"listening\n"
    while True:
        while not message.published.wait(heartbeat):
            # A client that has gone is not seen by a wait for others; writing shows it.
            yield HEARTBEAT
        yield message.text
        message = message.next


def counts():
    gc.collect()
    return {"listeners": len(alive), "objects": len(gc.get_objects()), "resident": uwsgi.mem()[0], "fds": len(os.listdir("/proc/self/fd"))}


def application(environ, start_response):
    query = {key: values[0] for key, values in parse_qs(environ["QUERY_STRING"]).items()}
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["REQUEST_METHOD"] == "POST":
        publish(environ["wsgi.input"].read())
    if environ["PATH_INFO"] == "/listen":
        return listen(float(query["heartbeat"]) if "heartbeat" in query else None)
    return [json.dumps(counts()).encode()]
