"""Applications from Debian's packages, unmodified, started as their documentation says: what one client gets, thirty at once get as well.

Each of them is told to a test as a visit, a function of a client's name that does what a user does and returns what it saw. The name goes into whatever the client writes, so that nobody is
disturbed, and comes out of what it saw, so that visits can be compared: whoever gets something of another client's sees the wrong name.
"""

import contextlib
import difflib
import pprint
import re

from serving import Server, many

CLIENTS = 30

# As long as those of the clients, because lengths are compared as well.
_ALONE = "client-alone"


def _name(i):
    return f"client-no-{i:02}"


@contextlib.contextmanager
def serve(app, options=(), env=None, cwd=None, cores=CLIENTS):
    """A Server with that application, which must end without a warning, an error or a traceback in its log."""
    server = Server(app, cores=cores, options=["--disable-logging", *options], env=env, cwd=cwd, apps=False)
    with server:
        yield server
    assert complaints(server) == []


def complaints(server):
    """What a log of a server should not hold when nothing went wrong."""
    return server.warnings + [line for line in server.log.splitlines() if re.search(r" (error|fail) |Traceback|Error\b|Exception\b|Warning\b", line)]


def without(name, seen):
    """What a client saw, with its name taken out. Lists, tuples, dicts, texts and bytes are looked into."""
    if isinstance(seen, dict):
        return {without(name, key): without(name, value) for key, value in seen.items()}
    if isinstance(seen, (list, tuple)):
        return [without(name, part) for part in seen]
    if isinstance(seen, bytes):
        return seen.replace(name.encode(), b"NAME")
    return seen.replace(name, "NAME") if isinstance(seen, str) else seen


def _difference(alone, seen):
    """The first lines that differ, for a report."""
    before, after = (pprint.pformat(value, width=150).splitlines() for value in (alone, seen))
    return "\n".join(list(difflib.unified_diff(before, after, "alone", "among others", n=1, lineterm=""))[:40])


def visits(visit, timeout=150):
    """One visit alone, then thirty at once, all of which must see what the one saw. Returns that, without the name."""
    alone = without(_ALONE, visit(_ALONE))
    for i, seen in enumerate(many(CLIENTS, lambda i: visit(_name(i)), timeout)):
        seen = without(_name(i), seen)
        assert seen == alone, f"{_name(i)} saw something else than one client alone:\n{_difference(alone, seen)}"
    return alone
