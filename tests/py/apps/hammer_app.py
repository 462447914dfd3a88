"""Green threads and OS threads at the same lock, queue, event …: one request starts them all, and says "ok" when nothing was lost, doubled or let in together. The path names the object."""

import concurrent.futures
import itertools
import queue
import random
import sys
import threading
import time
import traceback
import urllib.parse

import ugreen

PATIENCE = 60

# A thread of the OS's loses the GIL at every other line, not after 5 ms.
sys.setswitchinterval(1e-5)


class Section:
    """A counter that only one, or so many, may be at; and what it saw."""

    def __init__(self, most=1):
        self.most, self.inside, self.count, self.faults = most, 0, 0, []
        self.exact = threading.Lock()

    def visit(self, dice):
        with self.exact:
            self.inside += 1
            if self.inside > self.most:
                self.faults.append(f"{self.inside} inside")
        if self.most == 1:
            seen = self.count
            pause(dice)
            self.count = seen + 1
        else:
            pause(dice)
            with self.exact:
                self.count += 1
        with self.exact:
            self.inside -= 1


def pause(dice):
    """Nothing, a turn of the others, or a while."""
    kind = dice.random()
    if kind < 0.3:
        time.sleep(0)
    elif kind < 0.4:
        time.sleep(dice.random() / 1000)


def together(workers, rounds, work):
    """Run work(number, dice) in every worker, rounds each; the workers are started by functions that return something to join."""
    faults = []

    def run(number):
        dice = random.Random(number)
        try:
            work(number, dice)
        except BaseException:
            faults.append(traceback.format_exc())

    started = [start(lambda number=number: run(number)) for number, start in enumerate(workers)]
    for one in started:
        one.join(PATIENCE)
    alive = [one for one in started if one.is_alive()]
    if alive:
        faults.append(f"{len(alive)} of {len(started)} never came back:\n{ugreen.dump()}")
    return faults


def start_thread(function):
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


class Green:
    """A spawned green thread with the methods of a threading.Thread."""

    def __init__(self, function):
        self.green = ugreen.spawn(function)

    def join(self, seconds):
        self.green.join(seconds)

    def is_alive(self):
        return not self.green.done()


def exclusion(workers, rounds, take, most=1):
    section = Section(most)

    def work(number, dice):
        for _ in range(rounds):
            take(section, dice)

    faults = together(workers, rounds, work)
    if section.count != len(workers) * rounds:
        faults.append(f"counted to {section.count}, not {len(workers) * rounds}")
    return faults + section.faults


def lock(workers, rounds):
    held = threading.Lock()

    def take(section, dice):
        with held:
            section.visit(dice)

    return exclusion(workers, rounds, take)


def lock_timed(workers, rounds):
    """With time-outs, which come in the middle of everything, and with attempts that do not wait."""
    held = threading.Lock()

    def take(section, dice):
        while not (held.acquire(timeout=dice.random() / 2000) if dice.random() < 0.8 else held.acquire(blocking=False)):
            pause(dice)
        try:
            section.visit(dice)
        finally:
            held.release()

    return exclusion(workers, rounds, take)


def rlock(workers, rounds):
    held = threading.RLock()

    def take(section, dice):
        with held:
            pause(dice)
            if not held.acquire(timeout=0.0005):
                raise AssertionError("not its owner")
            try:
                section.visit(dice)
            finally:
                held.release()
            pause(dice)
            if not held._is_owned():
                raise AssertionError("not its owner any more")

    return exclusion(workers, rounds, take)


def rlock_timed(workers, rounds):
    held = threading.RLock()

    def take(section, dice):
        while not held.acquire(timeout=dice.random() / 2000):
            pause(dice)
        with held:
            section.visit(dice)
        held.release()

    return exclusion(workers, rounds, take)


def semaphore(workers, rounds):
    held = threading.BoundedSemaphore(3)

    def take(section, dice):
        while not held.acquire(timeout=dice.random() / 1000 if dice.random() < 0.5 else None):
            pause(dice)
        try:
            section.visit(dice)
        finally:
            held.release()

    return exclusion(workers, rounds, take, most=3)


def condition(workers, rounds):
    """A number that goes round: each worker waits for its turn, some of them with a time-out."""
    turn = [0]
    count = len(workers)
    changed = threading.Condition(threading.RLock() if rounds % 2 else threading.Lock())

    def work(number, dice):
        for _ in range(rounds):
            with changed:
                while turn[0] % count != number:
                    changed.wait(dice.random() / 500 if dice.random() < 0.2 else PATIENCE)
                turn[0] += 1
                changed.notify_all()
            pause(dice)

    faults = together(workers, rounds, work)
    return faults if turn[0] == count * rounds else [*faults, f"{turn[0]} turns, not {count * rounds}"]


def notify_one(workers, rounds):
    """Each notify() wakes one: what is put, somebody takes, and nobody who could go on sleeps on."""
    changed = threading.Condition()
    stock, taken = [0], [0]
    count = len(workers)

    def work(number, dice):
        for _ in range(rounds):
            if number % 2:
                with changed:
                    while stock[0] == 0:
                        if not changed.wait(PATIENCE):
                            raise AssertionError("a wake-up was lost")
                    stock[0] -= 1
                    taken[0] += 1
            else:
                pause(dice)
                with changed:
                    stock[0] += 1
                    changed.notify()

    faults = together(workers[: count // 2 * 2], rounds, work)
    return faults if taken[0] == count // 2 * rounds and stock[0] == 0 else [*faults, f"{taken} taken, {stock} left"]


def queues(workers, rounds):
    return [fault for make in (lambda: queue.Queue(3), lambda: queue.LifoQueue(3), lambda: queue.PriorityQueue(3), queue.SimpleQueue) for fault in through_queue(workers, rounds // 4, make())]


def through_queue(workers, rounds, items):
    got = []
    count = len(workers) // 2 * 2

    def work(number, dice):
        for n in range(rounds):
            if number % 2:
                got.append(get(items, dice))
                if hasattr(items, "task_done"):
                    items.task_done()
            else:
                items.put(number * rounds + n)
                pause(dice)

    faults = together(workers[:count], rounds, work)
    if hasattr(items, "join") and not faults:
        items.join()
    expected = sorted(number * rounds + n for number in range(0, count, 2) for n in range(rounds))
    return faults if sorted(got) == expected else [*faults, f"{type(items).__name__}: {len(got)} of {len(expected)}"]


def get(items, dice):
    while True:
        try:
            return items.get(timeout=dice.random() / 1000 if dice.random() < 0.5 else PATIENCE)
        except queue.Empty:
            pause(dice)


def events(workers, rounds):
    """Pairs play ping-pong with two events. A lost wake-up ends in a time-out."""
    pairs = [(threading.Event(), threading.Event()) for _ in range(len(workers) // 2)]
    shots = itertools.count()

    def work(number, dice):
        mine, other = pairs[number // 2][:: 1 if number % 2 else -1]
        for _ in range(rounds):
            if number % 2:
                other.set()
            while not mine.wait(dice.random() / 1000 if dice.random() < 0.2 else PATIENCE):
                pass
            mine.clear()
            next(shots)
            if number % 2 == 0:
                other.set()

    faults = together(workers[: len(pairs) * 2], rounds, work)
    shot = next(shots)
    return faults if shot == len(pairs) * 2 * rounds else [*faults, f"{shot} shots"]


def barrier(workers, rounds):
    meeting = threading.Barrier(len(workers))
    places = [[] for _ in range(rounds)]

    def work(number, dice):
        for n in range(rounds):
            pause(dice)
            places[n].append(meeting.wait(PATIENCE))

    faults = together(workers, rounds, work)
    return faults + [f"round {n}: {got}" for n, got in enumerate(places) if sorted(got) != list(range(len(workers)))]


def pool(workers, rounds):
    section = Section()
    held = threading.Lock()

    def task(seed):
        with held:
            section.visit(random.Random(seed))
        return seed

    with concurrent.futures.ThreadPoolExecutor(3) as threads:

        def work(number, dice):
            asked = [threads.submit(task, n) for n in range(rounds)]
            if [one.result(PATIENCE) for one in asked] != list(range(rounds)):
                raise AssertionError("wrong results")

        faults = together(workers, rounds, work)
    return faults if section.count == len(workers) * rounds else [*faults, f"{section.count} done"]


WAYS = {f.__name__: f for f in (lock, lock_timed, rlock, rlock_timed, semaphore, condition, notify_one, queues, events, barrier, pool)}


# What requests of a test's own share.
shared = {"lock": threading.Lock(), "rlock": threading.RLock(), "semaphore": threading.Semaphore(1), "condition": threading.Condition()}
common = {name: Section() for name in shared}


def visit(name, rounds, seed):
    dice = random.Random(seed)
    for _ in range(rounds):
        with shared[name]:
            common[name].visit(dice)


def application(environ, start_response):
    path = environ["PATH_INFO"].strip("/")
    asked = {name: int(value) for name, value in urllib.parse.parse_qsl(environ["QUERY_STRING"])}
    start_response("200 OK", [("Content-Type", "text/plain")])
    way, _, what = path.partition("/")
    if way == "visit":
        visit(what, asked["rounds"], asked["seed"])
        return [b"ok"]
    if way == "visited":
        return [f"{common[what].count} {common[what].faults}".encode()]
    if way == "threads":
        for n in range(asked["threads"]):
            start_thread(lambda n=n: visit(what, asked["rounds"], 1000 + n))
        return [b"ok"]
    workers = [*[Green] * asked["greens"], *[start_thread] * asked["threads"]]
    random.Random(len(workers)).shuffle(workers)
    faults = WAYS[way](workers, asked["rounds"])
    return ["\n".join(faults).encode() or b"ok"]
