"""Calls that do not block, each in a loop. In the server they run within a request (apps/inside.py); as a program this answers lines "CALL TRIPS" with nanoseconds per call: plain Python,
``calls.py two`` with a second thread that sleeps all the time. In a process with one thread only the C library and the kernel have shorter ways (no locks, no counted references to files).

A figure holds the loop around the call, too, which is the same everywhere.
"""

import io
import os
import pathlib
import socket
import sys
import tempfile
import threading
import time

#: In memory, so that the kernel's part is small; a disk would hide what is above it.
FOLDER = "/dev/shm" if os.path.isdir("/dev/shm") else None

#: A measurement is so many short loops, of which the fastest counts: the others were disturbed.
LOOPS = 30

DATA = bytes(100)


def lock_pair(trips, path):
    lock = threading.Lock()
    yield
    for _ in range(trips):
        with lock:
            pass


def rlock_pair(trips, path):
    lock = threading.RLock()
    yield
    for _ in range(trips):
        with lock:
            pass


def get_ident(trips, path):
    ident = threading.get_ident
    yield
    for _ in range(trips):
        ident()


def socketpair(trips, path):
    left, right = socket.socketpair()
    with left, right:
        send, recv = left.send, right.recv
        yield
        for _ in range(trips):
            send(DATA)
            recv(100)
        yield


def pipe(trips, path):
    reading, writing = os.pipe()
    read, write = os.read, os.write
    yield
    for _ in range(trips):
        write(writing, DATA)
        read(reading, 100)
    yield
    os.close(reading)
    os.close(writing)


def seek_read(trips, path):
    with open(path, "rb", buffering=0) as file:
        seek, read = file.seek, file.read
        yield
        for _ in range(trips):
            seek(0)
            read(100)
        yield


def seek_write(trips, path):
    with open(path, "r+b", buffering=0) as file:
        seek, write = file.seek, file.write
        yield
        for _ in range(trips):
            seek(0)
            write(DATA)
        yield


def read_file(trips, path):
    file_of = io.FileIO
    yield
    for _ in range(trips):
        with file_of(path) as file:
            file.readall()


#: name: (what the table calls it, the loop, times that plain Python's figure may be)
CALLS = {
    "lock": ("Lock, taken and released", lock_pair, 1.05),
    "rlock": ("RLock, taken and released", rlock_pair, 1.05),
    "ident": ("threading.get_ident()", get_ident, 1.05),
    "socket": ("send and recv, a ready socket pair", socketpair, 1.05),
    "pipe": ("write and read, a pipe", pipe, 1.15),
    "read": ("seek and read, a file without a buffer", seek_read, 1.05),
    "write": ("seek and write, a file without a buffer", seek_write, 1.05),
    "file": ("open, read and close a file (FileIO)", read_file, 1.05),
}


def measure(name, trips, path):
    """Nanoseconds per call, the fastest of some loops."""
    pathlib.Path(path).write_bytes(DATA * 2)
    found = []
    for _ in range(LOOPS):
        loop = CALLS[name][1](trips, path)
        next(loop)
        begun = time.perf_counter_ns()
        next(loop, None)
        found.append((time.perf_counter_ns() - begun) / trips)
        loop.close()
    return min(found)


def main():
    if "two" in sys.argv:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        for line in sys.stdin:
            name, trips = line.split()
            print(measure(name, int(trips), os.path.join(folder, "file")), flush=True)


if __name__ == "__main__":
    main()
