"""What ``bench/run`` asks of the contenders."""

import dataclasses

from bench.running.apps import plain
from bench.running.load import Request

APPS = "bench.running.apps."

#: Who is measured with an ordinary page, and who where the settings of the others make no difference.
PAGE = ["ugreen", "uwsgi", "uwsgi-sync", "uwsgi-gevent", "gunicorn-gevent", "gunicorn-eventlet"]
FEW = ["ugreen", "uwsgi", "uwsgi-sync", "gunicorn-gevent"]

#: Who is left out with --quick.
QUICK = ("uwsgi-router", "uwsgi-http11", "uwsgi-http11-ugreen", "uwsgi-gevent", "gunicorn-eventlet", "nginx", "nginx-gunicorn")
QUICK_FEW = (*QUICK, "uwsgi-sync")


@dataclasses.dataclass(frozen=True)
class Workload:
    """A workload.

    kind        "load": peak by wrk, then latencies at a fixed rate; the others have code of their own ("switch", "database", "comet", "start"; see measure.py)
    apps        the application of each flavour; of "" for all that have none of their own
    quick       who is left out with --quick
    same_rate   also latencies at one rate for all, half of the best peer's peak
    ideal       requests per second that nobody can pass, for waits
    """

    key: str
    title: str
    kind: str
    contenders: list
    apps: dict = dataclasses.field(default_factory=dict)
    request: Request = None
    connections: int = 50
    cores: int = 100
    keep_alive: bool = True
    same_rate: bool = False
    ideal: float = 0
    quick: tuple = QUICK

    def app(self, contender):
        return self.apps.get(contender.flavour, self.apps.get("", ""))


def hello_of(length):
    return Request("/", length, check=lambda body: body == plain.HELLO)


def done():
    return Request("/", 5, check=lambda body: body == b"done\n")


WORKLOADS = {workload.key: workload for workload in [
    Workload("hello", "Hello world, connections kept", "load",
             ["ugreen", "uwsgi", "uwsgi-router", "uwsgi-sync", "uwsgi-http11", "uwsgi-http11-ugreen", "uwsgi-gevent", "gunicorn-gevent", "gunicorn-eventlet", "kestrel", "nginx"],
             {"": APPS + "plain:hello"}, hello_of(13), same_rate=True),
    Workload("connection", "Hello world, a connection per request", "load", [*PAGE, "kestrel", "nginx"], {"": APPS + "plain:hello"}, hello_of(13), keep_alive=False, same_rate=True),
    Workload("json", "JSON, 2 KB with ten headers", "load", FEW, {"": APPS + "plain:json_page"}, Request("/", 2048, check=lambda body: body.startswith(b'{"items"')), quick=QUICK_FEW),
    Workload("flask", "Flask page with a template", "load", ["ugreen", "uwsgi", "uwsgi-sync", "uwsgi-gevent", "gunicorn-gevent"], {"": APPS + "flask_page:app"}, Request("/items?page=2", check=lambda body: b"item &lt;59&gt;" in body and b"page=3" in body)),
    Workload("big", "1 MiB response", "load", FEW, {"": APPS + "plain:big"}, Request("/", len(plain.BIG), check=lambda body: body == plain.BIG),
             connections=16, quick=QUICK_FEW),
    Workload("post", "100 KB POST, read whole", "load", FEW, {"": APPS + "plain:post"},
             Request("/", 7, b"x" * plain.POST_BYTES, lambda body: body == b"%06d\n" % plain.POST_BYTES), connections=16, quick=QUICK_FEW),
    Workload("suspend", "1,000 suspends per request, 30 at once", "load", ["ugreen", "ugreen-yield", "uwsgi", "uwsgi-gevent", "gunicorn-gevent", "gunicorn-eventlet"],
             {"ugreen": APPS + "suspend_ugreen", "uwsgi": APPS + "suspend_yield", "gevent": APPS + "suspend_gevent:application", "eventlet": APPS + "suspend_eventlet:application"},
             done(), connections=30, cores=40),
    Workload("switch", "Round trip of a suspend, by the application's clock", "switch", ["ugreen", "ugreen-yield", "uwsgi", "greenlet"], {"": APPS + "suspend_yield"}, cores=40),
    Workload("wait", "10 ms wait, 512 connections", "load", PAGE[:2] + PAGE[3:],
             {"ugreen": APPS + "wait_ugreen", "uwsgi": APPS + "wait_uwsgi", "gevent": APPS + "wait_gevent:application", "eventlet": APPS + "wait_eventlet:application"},
             done(), connections=512, cores=512, ideal=51200),
    Workload("database", "100 queries of 50 ms at once", "database", ["ugreen", "uwsgi", "gunicorn-gevent"],
             {"ugreen": "bench.databases.with_ugreen", "uwsgi": "bench.databases.with_uwsgi", "gevent": "bench.databases.with_gevent:application"}, cores=100),
    Workload("comet", "Hello world beside 1,000 idle listeners", "comet", ["ugreen", "uwsgi", "gunicorn-gevent"],
             {"ugreen": "bench.parking.ugreen_app", "uwsgi": "bench.parking.uwsgi_app", "gevent": "bench.parking.gevent_app:application"},
             Request("/hello", 6, check=lambda body: body == b"hello\n"), cores=1100),
    Workload("nginx", "Hello world behind nginx", "load", ["nginx-ugreen", "nginx-uwsgi", "nginx-gunicorn"], {"": APPS + "plain:hello"}, hello_of(13)),
    Workload("start", "Start to the first answer", "start", ["ugreen", "uwsgi", "uwsgi-sync", "uwsgi-gevent", "gunicorn-gevent", "gunicorn-eventlet"], {"": APPS + "plain:hello"}, hello_of(13), quick=QUICK_FEW),
]}
