"""What is measured from inside a request: GET /CALL/TRIPS gives nanoseconds per call (bench/waiting/calls.py), GET /WAIT/TRIPS per round trip between two green threads (trips.py)."""

import os
import tempfile

from bench.waiting import calls, trips


def start(function):
    import ugreen

    return ugreen.spawn(function).join


def application(environ, start_response):
    name, number = environ["PATH_INFO"][1:].split("/")
    if name in trips.TRIPS:
        answer = trips.measure(name, int(number), start)
    else:
        with tempfile.TemporaryDirectory(dir=calls.FOLDER) as folder:
            answer = calls.measure(name, int(number), os.path.join(folder, "file"))
    body = b"%f" % answer
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
