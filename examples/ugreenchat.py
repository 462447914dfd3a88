"""ugreenchat: a Comet chat. Everybody who listens holds one request open, and is told at once what the others say.

Each listener is a generator on a green thread of its own, stream(), which sends what is new and waits for more. Whoever talks
wakes them all by a short request, say(). The page beside this file does both; so does curl.

Run:  ./ugreen-py -w examples.ugreenchat --async 30 --ugreen
Try:  http://127.0.0.1:8000/ in several windows, or
      curl -N "http://127.0.0.1:8000/listen/0?name=Ada"
      curl -d name=Bob -d text=Hello http://127.0.0.1:8000/say
"""

import collections
import itertools
import json
import pathlib
import re
import time

import ugreen                       # ugreen: tools for green threads that wait
import uwsgi                        # ugreen: the server itself, by the names that uWSGI gave
from bottle import Bottle, HTTPResponse, request, response, static_file

HISTORY = 200                       # messages that are kept: what a newcomer reads, and the longest gap that a reconnect can fill
NAME, TEXT = 32, 2000               # longest name and text, in characters
BODY, ARRIVAL = 32 * 1024, 10       # longest request with both, in bytes (JSON may take twelve for one character) and in seconds
HEARTBEAT = 15                      # seconds of silence after which a listener gets an empty line, so that both sides know a dead connection
LISTENERS = max(1, uwsgi.cores - 4)  # ugreen: who listens occupies one of --async N cores; the last four serve the page and what is said

UNSEEN = re.compile("[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")    # controls, also of direction, and halves of characters

application = Bottle(catchall=False)        # ugreen: the server reports errors, and knows a fault of ours from a client that left
news = ugreen.Condition()                   # ugreen: as threading.Condition, but while one waits the others run
start = int(time.time() * 1000)             # numbers begin at the clock's, so they still rise after a restart, for pages that come back
numbers = itertools.count(start)
messages = collections.deque(maxlen=HISTORY)
here = []                                   # the name of each listener; twice, when somebody has two windows


@application.get("/")
def page():
    return static_file("ugreenchat.html", pathlib.Path(__file__).parent)


@application.get("/listen/<last:int>")
def listen(last):
    """One JSON object a line: the messages after number ``last``, those to come, and {"here": names} whenever that has changed."""
    name = clean("name", request.query.name, NAME, " ")
    if len(here) >= LISTENERS:
        refuse(503, f"All {LISTENERS} places are taken.", {"Retry-After": "5"})
    response.headers.update({"Content-Type": "application/x-ndjson", "Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    return stream(name, last)


def stream(name, last):
    here.append(name)               # ugreen: nobody else runs before this one waits, so shared data needs no lock
    try:
        if here.count(name) == 1:
            publish(joined=name)
        if last > messages[-1]["n"]:
            last = 0                # a number of the future: the clock was set back since
        shown = None
        while not ugreen.stopping.is_set():     # ugreen: set when the server shall end, which would wait for this request
            lines = [message for message in messages if message["n"] > last]
            if start <= last < messages[0]["n"] - 1:
                lines.insert(0, {"missed": messages[0]["n"] - 1 - last})
            if shown != (shown := sorted(set(here))):
                lines.append({"here": shown})
            last = messages[-1]["n"]
            yield "".join(json.dumps(line) + "\n" for line in lines).encode() or b"\n"     # ugreen: a slow reader holds up only itself
            with ugreen.while_connected(), news:                                            # ugreen: a listener who leaves is known at once
                news.wait_for(lambda: messages[-1]["n"] > last or ugreen.stopping.is_set(), HEARTBEAT)  # ugreen: this request stands still here
    finally:                        # ugreen: a write to a listener who left fails, and the server closes the generator
        here.remove(name)
        if name not in here:
            publish(left=name)


@ugreen.spawn                       # ugreen: beside the requests
def wake():
    ugreen.stopping.wait()
    with news:
        news.notify_all()           # ugreen: so that all listeners look and end


@application.post("/say")
def say():
    """Takes ``name`` and ``text``, as a form or as JSON, and perhaps an ``id``: a message that comes again with the same one is not said again."""
    if not 0 <= request.content_length <= BODY:
        refuse(413, f"A message needs a Content-Length, of at most {BODY} bytes.")
    try:
        with ugreen.timeout(ARRIVAL):   # ugreen: raises Timeout in the read below
            said = request.json or dict(request.forms.decode())
    except ugreen.Timeout:
        refuse(408, "The message took too long to arrive.")
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        refuse(400, "A message is a form or a JSON object, in UTF-8.")
    name, text = clean("name", said.get("name"), NAME, " "), clean("text", said.get("text"), TEXT, "\n")
    mark = str(said.get("id") or "")[:64]
    return next((m for m in messages if mark and m.get("id") == mark), None) or publish(name=name, text=text, id=mark)


def publish(**message):
    """Number the message, keep it, and wake all that listen."""
    message = {"n": next(numbers), "time": time.time(), **message}
    with news:
        messages.append(message)
        news.notify_all()           # ugreen: they run when this one waits or ends
    return message


def clean(what, text, longest, line_break):
    """The text without control characters; refused when nothing is left of it or too much."""
    text = line_break.join(UNSEEN.sub(" ", line) for line in text.splitlines()).strip() if isinstance(text, str) else ""
    if not any(c.isprintable() and c != " " for c in text):
        refuse(400, f"The {what} is empty.")
    if len(text) > longest:
        refuse(400, f"The {what} has {len(text)} characters, {len(text) - longest} too many.")
    return text


def refuse(status, why, headers={}):
    raise HTTPResponse(why + "\n", status, {"Content-Type": "text/plain; charset=utf-8", **headers})
