"""Applications for mountpoints: each tells its name and what it was given."""

import ctypes
import json
import os
import sys

import uwsgi

_libc = ctypes.CDLL(None)
_libc.getenv.restype = ctypes.c_char_p


def make(name):
    def application(environ, start_response):
        if environ["PATH_INFO"].endswith("/raise"):
            raise ValueError(f"raised in {name}")
        body = json.dumps({"name": name, "script": environ["SCRIPT_NAME"], "path": environ["PATH_INFO"]}).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return application


def facts(environ, start_response):
    """What the options --env, --set, --pyargv and --import have left."""
    def show(value):
        return [show(v) for v in value] if isinstance(value, list) else value if value is True else f"bytes:{value.decode()}"

    body = json.dumps({
        "env": {k: v for k, v in os.environ.items() if k.startswith("UGREEN_TEST_")},
        "getenv": (_libc.getenv(b"UGREEN_TEST_A") or b"").decode(),
        "opt": {k: show(v) for k, v in uwsgi.opt.items()},
        "argv": sys.argv,
        "imported": sorted(m for m in sys.modules if "to_import" in m),
    }).encode()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body]


class Holder:
    inner = staticmethod(make("dotted"))


application = make("root")
blog, shop = make("blog"), make("shop")


def factory():
    return make("factory")
