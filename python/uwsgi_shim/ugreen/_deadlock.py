"""Finds dead-locks: green threads that wait for locks which only they themselves could release. The server calls it, every few seconds while some wait for long."""

from types import FrameType
from typing import Dict, List, Optional, Sequence, Set, Tuple

from _ugreen import greens, is_alone

from ugreen import _holders
from ugreen._holders import Claim, Wait
from ugreen._signals import signal_registered

# (id, core, state, request, frame)
_Green = Tuple[int, int, str, Optional[str], Optional[FrameType]]

# What the log shows of one dead-lock: those that hold something, then others.
_MOST_SHOWN = 20

# It waits by the server's own ugreen.Lock, Event …; with no timer anywhere, for another green thread.
_WAITS_FOR_OTHERS = "waits for another thread or a time"

# The waits that are in the log already.
_told: Set[int] = set()


def look() -> List[str]:
    """What is new: one text for each dead-lock."""
    waits = _holders.waits()
    _told.intersection_update(wait.number for wait in waits.values())
    alive = {green[0]: green for green in greens()}
    waiting = {wait.green: wait for wait in waits.values() if not wait.ends and (wait.lock is not None or wait.held_before)}
    alone = is_alone() and not any(signal_registered(number) for number in range(256))
    claims = {number: _holders.claims_of(alive[number][4]) for number in waiting}
    dead = _dead(waiting, alive, claims, alone)
    if not dead:
        return []
    # A lock that one of the others is inside of as well is not surely held by one of these.
    claims.update((number, _holders.claims_of(green[4])) for number, green in alive.items() if number not in claims)
    dead = _dead(waiting, alive, claims, alone)
    told = []
    for group in _groups(dead):
        numbers = {waiting[number].number for number in group if number in waiting}
        if _told.isdisjoint(numbers):
            told.append(_text(group, waiting, alive, claims))
        _told.update(numbers)
    return told


def _dead(waiting: Dict[int, Wait], alive: Dict[int, _Green], claims: Dict[int, List[Claim]], alone: bool) -> Dict[int, Set[int]]:
    """The largest set of which each waits for a lock that only others of the set could release; and who these are."""
    everybody = set(alive)
    releasers = {number: _releasers(wait, alive, claims) for number, wait in waiting.items()}
    if alone:
        releasers.update((number, None) for number, green in alive.items() if green[2] == _WAITS_FOR_OTHERS)
    dead = {number: everybody if by is None else by for number, by in releasers.items() if by is not None or alone}
    while True:
        living = [number for number, by in dead.items() if not by.issubset(dead)]
        if not living:
            return dead
        for number in living:
            del dead[number]


def _releasers(wait: Wait, alive: Dict[int, _Green], claims: Dict[int, List[Claim]]) -> Optional[Set[int]]:
    """Who could release what is waited for; None: anybody."""
    if wait.owner >= 0:
        # A core without a request keeps what its last one has not released, for its next one.
        return {number for number, green in alive.items() if green[1] == wait.owner} or None
    if wait.owner < -1:
        return {-1}
    if wait.held_before:
        return {number for number in alive if number < wait.held_before}
    return {number for number, held in claims.items() if any(claim.lock is wait.lock for claim in held)} or None


def _groups(dead: Dict[int, Set[int]]) -> List[Set[int]]:
    """Those that have to do with each other."""
    groups: List[Set[int]] = []
    for number, by in dead.items():
        group = {number, *by}
        for other in [other for other in groups if not other.isdisjoint(group)]:
            groups.remove(other)
            group |= other
        groups.append(group)
    return groups


def _text(group: Set[int], waiting: Dict[int, Wait], alive: Dict[int, _Green], claims: Dict[int, List[Claim]]) -> str:
    wanted = [wait.lock for number, wait in waiting.items() if number in group and wait.lock is not None]
    lines = []
    for number in group:
        _, core, state, request, frame = alive[number]
        held = _held(number, core, wanted, waiting, claims)
        wait = waiting.get(number)
        what = f"{state} for {wait.name}" if wait is not None else state
        holds = f"; holds {', '.join(held)}" if held else ""
        lines.append((not held, core, f"  green thread {number} on core {core}, {request or 'spawned'}: {what}, at {_holders.where(frame)}{holds}"))
    lines.sort()
    shown = [line for _, _, line in lines[:_MOST_SHOWN]]
    if len(lines) > _MOST_SHOWN:
        shown.append(f"  and {len(lines) - _MOST_SHOWN} more that wait for these")
    return f"{len(group)} green thread{'s wait for each other' if len(group) > 1 else ' waits for itself'}\n" + "\n".join(shown)


def _held(number: int, core: int, wanted: Sequence[object], waiting: Dict[int, Wait], claims: Dict[int, List[Claim]]) -> List[str]:
    """Of what others want."""
    names = {_holders.name_of(wait.lock): "" for wait in waiting.values() if wait.owner == core and wait.lock is not None}
    for claim in claims.get(number, ()):
        if any(claim.lock is lock for lock in wanted):
            names[_holders.name_of(claim.lock)] = f" (with, line {claim.line})"
    return [name + how for name, how in names.items()]


__all__ = ["look"]
