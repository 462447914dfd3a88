"""Server-sent events: how busy this machine is, live, and without gaps for a browser that was away for a moment.

An OS thread measures once a second. Each client is a generator on a green thread of its own, events(), which waits for that.

Run:  ./ugreen-py -w examples.sse --async 30 --ugreen
Try:  http://127.0.0.1:8000/ in a browser, or
      curl -N http://127.0.0.1:8000/events
"""

import collections
import json
import threading
import time

import ugreen

HEARTBEAT = 15          # seconds without a change after which a client gets a comment, so that both sides know a dead connection
RETRY = 2000            # milliseconds until a browser that lost its connection comes back
samples = collections.deque(maxlen=120)     # (number, value): what a client can catch up with; the number is the time in milliseconds, so it still rises after a restart
news = ugreen.Condition()                   # works between OS threads and green threads


def measure():
    """Note the share of the processors' time that was used, in percent, once a second if it has changed. For an OS thread."""
    before, value = ticks(), None
    while True:
        time.sleep(1)
        now = ticks()
        total, idle = (a - b for a, b in zip(now, before))
        before, last = now, value
        value = round(100 * (1 - idle / max(total, 1)))
        if value != last:
            publish(value)


def ticks():
    """All time that the processors have spent since the start of the machine, and what of it in idleness."""
    with open("/proc/stat") as file:
        spent = [int(word) for word in file.readline().split()[1:9]]
    return sum(spent), spent[3] + spent[4]


def publish(value):
    """Keep the value, and wake all that wait. Any thread may call."""
    with news:
        number = max(time.time_ns() // 1_000_000, samples[-1][0] + 1 if samples else 0)
        samples.append((number, value))
        news.notify_all()


def events(last):
    """The samples after number ``last``, and those to come."""
    yield b"retry: %d\n\n" % RETRY
    if samples and last > samples[-1][0]:
        last = 0                # a number of the future: the clock was set back since
    while not ugreen.stopping.is_set():         # a server that shall end waits for its requests; the browser comes back to the next one
        with ugreen.while_connected(), news:    # a reader who leaves ends the wait
            news.wait_for(lambda: samples and samples[-1][0] > last or ugreen.stopping.is_set(), HEARTBEAT)     # only this request stands still
            fresh = [sample for sample in samples if sample[0] > last]
        last = fresh[-1][0] if fresh else last
        yield b"".join(b"id: %d\ndata: %s\n\n" % (number, json.dumps({"busy": value}).encode()) for number, value in fresh) or b": still here\n\n"


def wake():
    """Let all that wait look when the server shall end."""
    ugreen.stopping.wait()
    with news:
        news.notify_all()


def application(environ, start_response):
    def answer(status, kind, body, *headers):
        start_response(status, [("Content-Type", kind), *headers])
        return body

    if environ["PATH_INFO"] == "/":
        return answer("200 OK", "text/html; charset=utf-8", [PAGE])
    if environ["PATH_INFO"] != "/events":
        return answer("404 Not Found", "text/plain", [b"There are / and /events.\n"])
    last = environ.get("HTTP_LAST_EVENT_ID", "")        # what a browser sends when it comes back
    if not (last.isascii() and last.isdigit() and len(last) < 20 or last == ""):
        return answer("400 Bad Request", "text/plain", [b"Last-Event-ID must be a number.\n"])
    return answer("200 OK", "text/event-stream", events(int(last or 0)), ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"))


PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>How busy?</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; --green: #1a7a43; --soft: #5c6860; }
  @media (prefers-color-scheme: dark) { :root { --green: #4cc482; --soft: #9aa79f; } }
  body { max-width: 40rem; margin: 0 auto; padding: 2rem 1rem; font: 16px/1.5 system-ui, sans-serif; }
  h1 { font-size: 1.1rem; margin: 0; }
  #busy { color: var(--green); font-size: 4.5rem; line-height: 1.2; font-weight: 700; margin: 0; font-variant-numeric: tabular-nums; }
  svg { width: 100%; height: 9rem; border-bottom: 1px solid var(--soft); }
  path { fill: none; stroke: var(--green); stroke-width: 2; vector-effect: non-scaling-stroke; }
  p { color: var(--soft); }
</style>
<h1>How busy the server's processors are</h1>
<p id="busy">…</p>
<svg viewBox="0 -3 120 106" preserveAspectRatio="none" role="img" aria-label="The last two minutes"><path id="line"/></svg>
<p>The last two minutes. <span id="state" role="status">Connecting…</span></p>
<script>
  const $ = id => document.getElementById(id), points = [];
  let ahead = Infinity;                           // of this computer's clock, in milliseconds
  const source = new EventSource("events");       // comes back by itself, with the number of the last event that it got
  source.onopen = () => $("state").textContent = "Connected.";
  source.onerror = () => $("state").textContent = source.readyState === EventSource.CLOSED ? "Refused; load the page again." : "Reconnecting…";
  source.onmessage = event => {
    ahead = Math.min(ahead, Date.now() - event.lastEventId);
    points.push({ time: Number(event.lastEventId), busy: JSON.parse(event.data).busy });
    $("busy").textContent = `${points.at(-1).busy} %`;
  };
  setInterval(() => {
    const now = Date.now() - ahead;
    while (points.length > 1 && points[1].time < now - 120_000) points.shift();
    const steps = points.map(point => `H${120 - (now - point.time) / 1000} V${100 - point.busy}`);
    if (points.length) $("line").setAttribute("d", `M${120 - (now - points[0].time) / 1000} ${100 - points[0].busy} ${steps.join(" ")} H120`);
  }, 500);
</script>
""".encode()

threading.Thread(target=measure, name="measure", daemon=True).start()
ugreen.spawn(wake)
