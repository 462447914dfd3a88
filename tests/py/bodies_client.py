"""For test_bodies_*.py: runs code in the application ``bodies`` and looks into the server's process."""

import contextlib
import json
import os
import re
import textwrap

from serving import until


def code_headers(code, **values):
    """Headers of a request for /code."""
    return {"X-Code": json.dumps(textwrap.dedent(code)), "X-Values": json.dumps(values)}


def ask(server, code, method="GET", body=None, headers=None, **values):
    """The answer to a request that runs the body of a function; what it returns is the response's iterable."""
    return server.request(method, "/code", body, {**code_headers(code, **values), **(headers or {})})


def raw_request(code, method="GET", extra="", **values):
    """The same request as bytes, without a body."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in code_headers(code, **values).items())
    return f"{method} /code HTTP/1.1\r\nHost: t\r\n{lines}{extra}\r\n".encode()


def noted(server):
    """What requests have noted since the last call."""
    return server.get("/noted").json


def memory(server, key="VmRSS"):
    with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
        return int(re.search(rf"^{key}:\s+(\d+) kB", status.read(), re.MULTILINE)[1]) * 1024


def reset_peak(server):
    """VmHWM begins anew."""
    with open(f"/proc/{server.pid}/clear_refs", "w", encoding="ascii") as refs:
        refs.write("5")


def open_files(server, path):
    """How many descriptors of the server lead to this file."""
    count = 0
    for fd in os.listdir(f"/proc/{server.pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(f"/proc/{server.pid}/fd/{fd}").startswith(str(path))
    return count


def assert_closed(server, path):
    """The server lets go of the file, soon."""
    until(lambda: open_files(server, path) == 0, f"{path} to be closed in the server")
