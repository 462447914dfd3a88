"""Runs, on a green thread, the code that a test posts (see serving.Server.run): the test then shows in one place what the server does and what must come of it.

The code is the body of a function. What it returns goes back as JSON; what it raises goes back as the exception's type and text. A generator is the response's
iterable. ``shared`` is a namespace that all requests of the server see.
"""

import json
import os
import socket
import sys
import textwrap
import threading
import time
import types

import uwsgi

import checkpoint
import meeting

shared = types.SimpleNamespace()

NAMES = {
    "os": os,
    "pipe": lambda: os.pipe2(os.O_NONBLOCK),
    "reach": checkpoint.reach,
    "checkpoint": checkpoint,
    "meet": meeting.meet,
    "shared": shared,
    "socket": socket,
    "sys": sys,
    "threading": threading,
    "time": time,
    "uwsgi": uwsgi,
}


def application(environ, start_response):
    # In a header when the code wants to read the request's body itself.
    request = json.loads(environ.get("HTTP_X_CODE") or environ["wsgi.input"].read())
    names = {**NAMES, "environ": environ, "start_response": start_response, **request["values"]}
    exec(compile("def body():\n" + textwrap.indent(request["code"], "    "), "<test>", "exec"), names)
    try:
        result = names["body"]()
    except Exception as error:
        answer = {"error": type(error).__name__, "text": str(error), "errno": getattr(error, "errno", None)}
    else:
        if isinstance(result, types.GeneratorType):
            start_response("200 OK", [("Content-Type", "text/plain")])
            return result
        answer = {"result": result}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer, default=repr).encode()]
