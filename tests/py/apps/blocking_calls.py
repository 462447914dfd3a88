"""Requests that wait in each of the functions of blocking_table, and how that ends."""

import ctypes
import json
import urllib.parse

import ugreen
import uwsgi

import meeting
from blocking_table import WAYS

seen = {}


def within(path, limit):
    """How the wait of that name ends under a time limit, with everybody else waiting as well."""
    make, name = WAYS[path]
    with make(name) as call:
        try:
            with ugreen.timeout(limit):
                answer = call()
            return f"nothing raised: {answer}, errno {ctypes.get_errno()}"
        except ugreen.Timeout:
            return "Timeout"


def killed(path):
    make, name = WAYS[path]
    with make(name) as call:
        green = ugreen.spawn(call)
        ugreen.sleep(0.05)
        if not green.done():
            green.kill()
        return type(green.exception(20)).__name__


def left(path):
    """The client leaves while it waits."""
    make, name = WAYS[path]
    try:
        with make(name) as call, ugreen.while_connected():
            call()
        seen[path] = "nothing raised"
    except ugreen.ClientGone:
        seen[path] = "ClientGone"
    return ""


def application(environ, start_response):
    how, _, path = environ["PATH_INFO"].strip("/").partition("/")
    asked = {key: values[0] for key, values in urllib.parse.parse_qs(environ["QUERY_STRING"]).items()}
    if how == "meet":
        meeting.meet(path, int(asked["count"]))
        how, answer = "within", [within(path, float(asked["limit"])), uwsgi.async_id()]
    elif how == "killed":
        answer = killed(path)
    elif how == "left":
        answer = left(path)
    elif how == "seen":
        answer = seen.get(path)
    elif how == "dump":
        answer = ugreen.dump()
    elif how == "forever":
        make, name = WAYS[path]
        with make(name) as call:
            answer = f"nothing raised: {call()}"
    else:
        answer = "ok"
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]
