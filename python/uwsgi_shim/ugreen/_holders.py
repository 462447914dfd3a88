"""Who waits for which lock and who holds it, as far as that can be known, for ``dump()`` and for dead-locks.

An RLock knows its owner. A Lock does not, and anybody may release it; but whoever is in the middle of ``with lock:`` has the lock's exit on its stack, and CPython's table of exceptions says
where. A mutex of C's knows only the OS thread.
"""

import opcode
import os
import queue
import threading
from types import CodeType, FrameType
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from _ugreen import lock_waits, with_item

_PACKAGE = os.path.dirname(__file__) + "/"

# Where these wait is where their callers do.
_PASSED_OVER = {threading.__file__, queue.__file__, "<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>"}

_LOCKS = {type(threading.Lock()): "Lock", type(threading.RLock()): "RLock"}

# Whoever is in the middle of a with statement, and of a function that calls one of these, may have released the lock for a while.
_RELEASES = {"release", "_release_save", "__exit__"}

# What is read of code objects does not change: the object, which so keeps its id; its with statements and all else that handles exceptions; whether it releases something. When there are more,
# their application makes them again and again.
_MOST_KNOWN = 5000
_known: "Dict[int, Tuple[CodeType, List[Tuple[int, int, int, int]], bool]]" = {}


class Wait(NamedTuple):
    """A green thread's wait for a lock; see ``_ugreen.lock_waits()``."""

    green: int
    number: int
    address: int
    lock: object
    owner: int
    held_before: int
    ends: bool

    @property
    def name(self) -> str:
        """"Lock at 0x…", so that those who wait for the same can be told."""
        if self.lock is None:
            return f"mutex at {self.address:#x}" if self.held_before else f"semaphore at {self.address:#x}"
        return name_of(self.lock)


class Claim(NamedTuple):
    """A green thread is inside ``with lock:``."""

    lock: object
    frame: FrameType
    line: int


def waits() -> Dict[int, Wait]:
    """All that wait for locks, by the number of the green thread. Any thread may call."""
    return {wait[0]: Wait(*wait) for wait in lock_waits()}


def name_of(lock: object) -> str:
    """"Lock at 0x…"."""
    return f"{_LOCKS.get(type(lock), 'lock')} at {id(lock):#x}"


def where(frame: Optional[FrameType]) -> str:
    """``file:line in function``, of the application's own code if there is any."""
    first = frame
    while frame is not None and (frame.f_code.co_filename in _PASSED_OVER or frame.f_code.co_filename.startswith(_PACKAGE)):
        frame = frame.f_back
    frame = frame or first
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}" if frame is not None else "(has not begun)"


def holder(wait: Wait, frames: Dict[int, Tuple[int, Optional[FrameType]]], claims: "Dict[int, List[Claim]]") -> Optional[str]:
    """Who holds what is waited for: "core 7 at file:line"; None: nobody can tell.

    ``frames`` has core and frame of all green threads, ``claims`` what they hold by ``with``.
    """
    if wait.owner >= 0:
        found = next((frame for core, frame in frames.values() if core == wait.owner), None)
        return f"core {wait.owner} at {where(found)}" if found is not None else f"core {wait.owner}, whose request has ended"
    if wait.owner < -1:
        ident = -2 - wait.owner
        # Not threading.enumerate(), which takes a lock.
        thread = getattr(threading, "_active", {}).get(ident)
        return f"the OS thread {thread.name!r}" if thread is not None else f"the OS thread {ident}"
    if wait.held_before:
        return "another green thread"
    own = [green for green, held in claims.items() if any(claim.lock is wait.lock for claim in held)]
    if len(own) != 1 or wait.lock is None:
        return None
    core, frame = frames[own[0]]
    return f"core {core} at {where(frame)}"


def claims_of(frame: Optional[FrameType]) -> List[Claim]:
    """The locks that a green thread surely holds by ``with``. For a frame of one that waits, or of the caller."""
    found: List[Claim] = []
    while frame is not None:
        code, table, releases = _known.get(id(frame.f_code)) or _learn(frame.f_code)
        if table:
            found += _claims_in(frame, code, table)
        # Such as a Condition that waits: it has released a lock that its callers are inside of.
        if releases:
            return found
        frame = frame.f_back
    return found


def _learn(code: CodeType) -> "Tuple[CodeType, List[Tuple[int, int, int, int]], bool]":
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    table = list(_entries(code))
    bytecode = code.co_code
    if not any(bytecode[entry[2] + 2] == _WITH_EXCEPT_START for entry in table):
        table = []
    learnt = _known[id(code)] = code, table, not _RELEASES.isdisjoint(code.co_names)
    return learnt


def _claims_in(frame: FrameType, code: CodeType, table: List[Tuple[int, int, int, int]]) -> Iterator[Claim]:
    for start, end, place, line in _blocks_at(code, table, frame.f_lasti):
        if _releases_between(code, start, end):
            continue
        item = with_item(frame, place)
        lock = getattr(item, "_lock", None) if type(item) is threading.Condition else item
        if type(lock) in _LOCKS:
            yield Claim(lock, frame, line)


def _blocks_at(code: CodeType, table: List[Tuple[int, int, int, int]], at: int) -> "Iterable[Tuple[int, int, int, int]]":
    """The with statements that an instruction is in: first and last instruction, place of their exit on the stack, line."""
    variables = code.co_nlocals + len(set(code.co_cellvars) - set(code.co_varnames)) + len(code.co_freevars)
    bytecode = code.co_code
    seen = set()
    while True:
        entry = next((entry for entry in table if entry[0] <= at < entry[1]), None)
        if entry is None or entry in seen:
            return
        seen.add(entry)
        target, depth = entry[2:]
        if bytecode[target] == _PUSH_EXC_INFO and bytecode[target + 2] == _WITH_EXCEPT_START:
            spans = [other for other in table if other[2] == target]
            first = min(other[0] for other in spans)
            yield first, max(other[1] for other in spans), variables + depth - 1, next((line for begin, stop, line in code.co_lines() if begin <= first < stop and line), 0)
        # What is around it takes over where its own cleaning up fails.
        at = target


def _releases_between(code: CodeType, start: int, end: int) -> bool:
    """The block itself calls something's release()."""
    bytecode, extended = code.co_code, 0
    for at in range(start, min(end, len(bytecode) - 1), 2):
        argument = bytecode[at + 1] | extended
        extended = argument << 8 if bytecode[at] == opcode.EXTENDED_ARG else 0
        if bytecode[at] in _ATTRIBUTES and argument < len(code.co_names) and code.co_names[argument] in _RELEASES:
            return True
    return False


def _entries(code: CodeType) -> "Iterator[Tuple[int, int, int, int]]":
    """co_exceptiontable: first instruction, the one behind the last, handler, height of the stack there. All in bytes."""
    numbers = iter(getattr(code, "co_exceptiontable", b""))

    def read() -> int:
        byte = next(numbers)
        value = byte & 63
        while byte & 64:
            byte = next(numbers)
            value = value << 6 | byte & 63
        return value

    while True:
        try:
            start = read() * 2
        except StopIteration:
            return
        end = start + read() * 2
        target = read() * 2
        yield start, end, target, read() >> 1


_WITH_EXCEPT_START = opcode.opmap.get("WITH_EXCEPT_START", -1)
_PUSH_EXC_INFO = opcode.opmap.get("PUSH_EXC_INFO", -1)
_ATTRIBUTES = {opcode.opmap.get(name, -1) for name in ("LOAD_ATTR", "LOAD_METHOD")}

__all__ = ["Claim", "Wait", "claims_of", "holder", "name_of", "waits", "where"]
