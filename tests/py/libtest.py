"""CPython's own tests, run in a request of a server and in a plain Python (apps/libtest_app.py): what came of each."""

import contextlib
import json
import os
import signal
import subprocess
import threading

import serving

PYTHON = "/usr/bin/python3"
APP = serving.APPS / "libtest_app.py"

# What tests of CPython's may take while a busy machine runs others beside them; the longest takes 10 s on an idle one.
TEST_SECONDS = 60


class Run:
    """What came of the tests of a module: ``outcomes`` by identifier, with "hung" and "killed" besides those of libtest_app; ``texts`` of those that are not well; ``seconds`` of each."""

    def __init__(self):
        self.outcomes, self.texts, self.seconds = {}, {}, {}
        self.log = ""

    def bad(self):
        """Identifiers of the tests that did not pass."""
        return {name for name, outcome in self.outcomes.items() if outcome in ("failed", "hung", "killed")}

    def take(self, lines):
        """Takes events until the last; returns the test that was running when they ended early, "" for none, None when all is done."""
        running = ""
        for line in lines:
            event = json.loads(line)
            if "done" in event:
                return None
            if "begin" in event:
                running = event["begin"]
            else:
                running = ""
                self.add(event["end"], event["outcome"], event["text"], event["seconds"])
        return running

    def add(self, name, outcome, text="", seconds=0.0):
        self.outcomes[name], self.seconds[name] = outcome, seconds
        if text:
            self.texts[name] = text


def in_requests(module, only=None, without=(), options=()):
    """Runs a module in one request of a server of its own. After a test that hangs, or ends the worker, the rest runs in another."""
    run = Run()
    without = list(without)
    while True:
        with serving.Server("libtest_app", cores=10, options=options) as server:
            lines = _Lines(server)
            broken = run.take(lines.events({"module": module, "only": only, "without": without}))
            if broken is not None:
                _give_up(run, server, broken, lines)
        run.log += server.log
        if broken is None:
            return run
        if not broken:
            raise AssertionError(f"the server ended between two tests of {module}, or before the first: {lines.error}\n{server.log[-4000:]}")
        without += run.outcomes


def _give_up(run, server, broken, lines):
    hung = isinstance(lines.error, TimeoutError)
    if hung:
        # Somebody who waits: the server then logs where the one is that holds it up.
        with contextlib.suppress(Exception):
            server.get("/", timeout=2)
    server.kill()
    run.add(broken, "hung" if hung else "killed", f"{lines.error!r}, exit code {server.exit_code}\n{server.log[-6000:]}")


class _Lines:
    def __init__(self, server):
        self._server = server
        self.error = None

    def events(self, order):
        with contextlib.closing(self._server.client(TEST_SECONDS)) as connection:
            connection.request("POST", "/", json.dumps(order), {"Connection": "close"})
            try:
                yield from connection.getresponse()
            except Exception as error:
                self.error = error


def in_plain_python(module, only=None, without=(), seconds=600):
    """The same in a plain Python."""
    run = Run()
    order = json.dumps({"module": module, "only": only, "without": list(without)})
    process = subprocess.Popen([PYTHON, str(APP)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True)
    timer = threading.Timer(seconds, lambda: os.killpg(process.pid, signal.SIGKILL))
    timer.start()
    try:
        process.stdin.write(order)
        process.stdin.close()
        broken = run.take(process.stdout)
        if broken:
            run.add(broken, "hung" if not timer.is_alive() else "killed")
    finally:
        timer.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(serving.PATIENCE)
        process.stdout.close()
    return run
