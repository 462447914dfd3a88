"""What the call of an application costs by itself: run as ``alone.py MODULE SECONDS TIMES`` it makes that many calls one after the other, in plain Python, and prints the CPU seconds of one."""

import importlib
import sys
import time


def main():
    module, seconds, times = sys.argv[1:]
    wait = importlib.import_module(module).wait
    wait(float(seconds))
    begun = time.process_time()
    for _ in range(int(times)):
        wait(float(seconds))
    print((time.process_time() - begun) / int(times))


if __name__ == "__main__":
    main()
