"""Runs tests of CPython's own suite, in a request or (as a program) in a plain Python, and tells the outcome of each, a line of JSON per event.

The order, in the request's body or on standard input: ``module`` (like "test_queue"), ``only`` (identifiers of tests; null: all), ``without`` (patterns of identifiers that do not run). The answer's
lines: ``{"begin": id}`` when a test begins; ``{"end": id, "outcome": …, "text": …, "seconds": …}`` when it has ended, where the outcome is "passed", "skipped", "failed" or "expected" (to fail);
``{"done": true}`` at last.
"""

import fnmatch
import json
import os
import sys
import time
import traceback
import unittest


class Outcomes(unittest.TestResult):
    """Tells of each test as it begins and ends."""

    def __init__(self, tell):
        super().__init__()
        self._tell = tell
        self._bad = []
        self._outcome, self._reason = "passed", ""
        self._running = None
        self._began = 0.0

    def startTest(self, test):
        super().startTest(test)
        self._bad, self._outcome, self._reason, self._running, self._began = [], "passed", "", test.id(), time.monotonic()
        self._tell({"begin": test.id()})

    def stopTest(self, test):
        super().stopTest(test)
        self._running = None
        outcome = "failed" if self._bad else self._outcome
        self._tell({"end": test.id(), "outcome": outcome, "text": "\n".join(self._bad) or self._reason, "seconds": round(time.monotonic() - self._began, 3)})

    def _add_bad(self, test, error):
        text = "".join(traceback.format_exception(*error))
        if self._running:
            self._bad.append(text)
        else:
            # What sets up a class or a module has failed.
            self._tell({"end": test.id(), "outcome": "failed", "text": text, "seconds": 0})

    def addError(self, test, err):
        self._add_bad(test, err)

    def addFailure(self, test, err):
        self._add_bad(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._bad.append(str(subtest))
            self._add_bad(test, err)

    def addSkip(self, test, reason):
        self._outcome, self._reason = "skipped", reason

    def addExpectedFailure(self, test, err):
        self._outcome = "expected"

    def addUnexpectedSuccess(self, test):
        self._bad.append("passed, and was expected to fail")


def tests_of(suite):
    """The tests, flat, in their order."""
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from tests_of(item)
        else:
            yield item


def run(order, tell):
    """Run what the order says, in a folder of its own, as regrtest does it without -u: nothing that needs the network, much time or much memory."""
    from test import support
    from test.support import os_helper

    support.use_resources = ()
    with os_helper.temp_cwd(f"libtest_{os.getpid()}", quiet=True):
        every = list(tests_of(unittest.defaultTestLoader.loadTestsFromName("test." + order["module"])))
        chosen = None if order["only"] is None else set(order["only"])
        suite = unittest.TestSuite()
        for test in every:
            name = test.id()
            if (chosen is None or name in chosen) and not any(fnmatch.fnmatchcase(name, pattern) for pattern in order["without"]):
                suite.addTest(test)
        suite.run(Outcomes(tell))
    tell({"done": True})


def application(environ, start_response):
    order = json.loads(environ["wsgi.input"].read())
    write = start_response("200 OK", [("Content-Type", "application/x-ndjson")])
    run(order, lambda event: write(json.dumps(event).encode() + b"\n"))
    return []


def main():
    # What tests print must not come between.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def tell(event):
        out.write(json.dumps(event) + "\n")
        out.flush()

    run(json.load(sys.stdin), tell)


if __name__ == "__main__":
    main()
