"""Round trips between two threads that wait for each other. In the server they are green threads (apps/inside.py); as a program this answers lines "WAIT TRIPS" with nanoseconds per round
trip between OS threads.
"""

import queue
import socket
import sys
import threading
import time


def socket_trips(trips, start):
    left, right = socket.socketpair()
    with left, right:
        def echo():
            while data := right.recv(100):
                right.sendall(data)

        join = start(echo)
        begun = time.perf_counter_ns()
        for _ in range(trips):
            left.sendall(b"x")
            left.recv(100)
        took = time.perf_counter_ns() - begun
        left.shutdown(socket.SHUT_WR)
        join()
    return took


def queue_trips(trips, start):
    there, back = queue.Queue(), queue.Queue()

    def echo():
        while (item := there.get()) is not None:
            back.put(item)

    join = start(echo)
    begun = time.perf_counter_ns()
    for _ in range(trips):
        there.put(1)
        back.get()
    took = time.perf_counter_ns() - begun
    there.put(None)
    join()
    return took


#: name: (what the table calls it, the function)
TRIPS = {"socket_trip": ("a byte to and fro over a socket pair", socket_trips), "queue_trip": ("an item to and fro over two queue.Queue", queue_trips)}


def measure(name, trips, start):
    """Nanoseconds per round trip. ``start`` starts a function on a thread of its kind, and gives what waits for its end."""
    return TRIPS[name][1](trips, start) / trips


def start_os_thread(function):
    thread = threading.Thread(target=function)
    thread.start()
    return thread.join


def main():
    for line in sys.stdin:
        name, trips = line.split()
        print(measure(name, int(trips), start_os_thread), flush=True)


if __name__ == "__main__":
    main()
