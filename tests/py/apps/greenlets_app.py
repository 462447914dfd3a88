"""Greenlets inside requests, which wait in the middle of them; and what is found by greenlet.getcurrent()."""

import gc
import weakref

import checkpoint
import ugreen

import greenlet

try:
    from sqlalchemy.orm import scoped_session, sessionmaker
    sessions = scoped_session(sessionmaker(), scopefunc=greenlet.getcurrent)
except ImportError:
    sessions = None

ROUNDS = 5

_shared = []
_ended = []


def park(me):
    """A greenlet waits, hands over to the request's own, waits on, ends; several times."""
    main = greenlet.getcurrent()

    def child(turn):
        ugreen.sleep(0.005)
        assert greenlet.getcurrent().parent is main
        answer = main.switch(f"{me} in {turn}")
        checkpoint.reach(f"{me}-{turn}") if me == "checked" else ugreen.sleep(0.005)
        return f"{me} out {answer}"

    lines = []
    for turn in range(ROUNDS):
        other = greenlet.greenlet(child)
        lines.append(other.switch(turn))
        ugreen.sleep(0.005)
        lines.append(other.switch(turn))
        assert other.dead and greenlet.getcurrent() is main
    return lines


def identity(me):
    """The current greenlet, as libraries use it: a key, weakly referenced, an instance; the session found by it is the request's own."""
    current = greenlet.getcurrent()
    assert isinstance(current, greenlet.greenlet) and current.parent is None and weakref.ref(current)() is current and hash(current) == hash(greenlet.getcurrent())
    session = sessions() if sessions else current
    checkpoint.reach("identity")
    assert greenlet.getcurrent() is current and (not sessions or sessions() is session)
    answer = [id(current), id(session)]
    if sessions:
        sessions.remove()
    return answer


def suspended():
    """A greenlet that waits in its middle, with an end that can be seen."""
    main = greenlet.getcurrent()

    def child():
        try:
            main.switch("here")
        finally:
            _ended.append(ugreen and greenlet.getcurrent().parent is main)

    other = greenlet.greenlet(child)
    assert other.switch() == "here"
    return other


def leave(me):
    """Leaves a greenlet to others, and stays until they have tried."""
    _shared.append(suspended())
    checkpoint.reach("left")
    _ended.clear()
    for _ in range(3):
        greenlet.getcurrent()       # greenlet throws away here what others have dropped
    return _ended


def foreign(me):
    """What another request's greenlet says when it is switched to."""
    try:
        _shared[-1].switch()
    except greenlet.error as error:
        return str(error)
    return "switched"


def drop(me):
    """Drops another request's greenlet, which must not run here."""
    _shared.clear()
    gc.collect()
    return _ended


PAGES = {"park": park, "identity": identity, "leave": leave, "foreign": foreign, "drop": drop}


def application(environ, start_response):
    import json
    _, page, me = environ["PATH_INFO"].split("/")
    body = json.dumps(PAGES[page](me)).encode()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body]
