"""A real browser for tests: Debian's Chromium, driven by playwright-core in a child process (tests/browser/driver.mjs).

::

    with Browser() as browser:
        page = browser.open("ada", server.url)
        page.fill("#name", "Ada")
        page.press("#name", "Enter")
        page.wait("document.title === 'ugreenchat'")        # until this JavaScript is true

Each page is a browser of its own: it shares no connections, no storage and no cookies with another one. Every wait is bounded by PATIENCE. When pages are
closed by ``close_pages()`` or the end of the block, none may have had a JavaScript error, a line of kind "error" on its console, or a request to anywhere else, unless the test took it with ``problems()``.
"""

import contextlib
import json
import queue
import shutil
import subprocess
import threading

from serving import PATIENCE, ROOT, until

FOLDER = ROOT / "tests" / "browser"

#: A few seconds more than the driver has, so that its message is the one to be read.
_LONGER = 10


class BrowserError(AssertionError):
    """What the browser answered instead of doing what it was told."""


class Browser:
    def __enter__(self):
        node, chromium = shutil.which("node"), shutil.which("chromium")
        assert node and chromium and (FOLDER / "node_modules").is_dir(), "this needs node, chromium and tests/browser/node_modules, which ./run-tests installs"
        self._process = subprocess.Popen([node, "driver.mjs", chromium, str(PATIENCE * 1000)], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answers = queue.Queue()
        self._pages = {}
        self._reader = threading.Thread(target=self._read, name="browser", daemon=True)
        self._reader.start()
        return self

    def __exit__(self, kind, error, trace):
        try:
            if kind is None:
                self.close_pages()
        finally:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()        # Chromium ends by itself when nobody holds its pipe any more
                self._process.wait(PATIENCE)
            self._reader.join(PATIENCE)
            self._process.stdout.close()

    def close_pages(self, check=True):
        """Close all that are open; then fail if one of them had a problem."""
        problems = {page.name: (page.problems(), page.close())[0] for page in list(self._pages.values())}
        assert not check or not any(problems.values()), problems

    def open(self, name, url, width=900, height=620, dark=False, phone=False, scale=1):
        """A new browser with this page in it, ``width`` × ``height`` CSS pixels, each of them ``scale`` × ``scale`` real ones."""
        page = Page(self, name)
        page.tell("open", url=url, width=width, height=height, dark=dark, phone=phone, scale=scale)
        self._pages[name] = page
        return page

    def tell(self, command):
        with contextlib.suppress(BrokenPipeError):      # the driver has ended, and the answer below says so
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        try:
            answer = self._answers.get(timeout=PATIENCE + _LONGER)
        except queue.Empty:
            raise BrowserError(f"no answer within {PATIENCE + _LONGER} s to {command}") from None
        if "error" in answer:
            raise BrowserError(f"{command}: {answer['error']}")
        return answer["result"]

    def _read(self):
        for line in self._process.stdout:
            self._answers.put(json.loads(line))
        self._answers.put({"error": "the browser's driver has ended; what it said is on standard error"})


class Page:
    def __init__(self, browser, name):
        self._browser, self.name = browser, name

    def tell(self, what, **details):
        return self._browser.tell({"do": what, "page": self.name, **details})

    def fill(self, selector, text):
        self.tell("fill", selector=selector, text=text)

    def press(self, selector, key):
        self.tell("press", selector=selector, key=key)

    def click(self, selector):
        self.tell("click", selector=selector)

    def evaluate(self, code):
        """The value of a JavaScript expression."""
        return self.tell("evaluate", code=code)

    def wait(self, code):
        """Wait until a JavaScript expression is true; returns its value."""
        # Asked from here: the page's own policy forbids what a browser would have to do to watch it.
        return until(lambda: self.evaluate(code), f"{self.name}: {code}", every=0.05)

    def texts(self, selector):
        """What is to be read in each element that matches."""
        return self.evaluate(f"[...document.querySelectorAll({json.dumps(selector)})].map(element => element.innerText)")

    def screenshot(self, path):
        self.tell("screenshot", path=str(path))

    def aria(self):
        """What the page is to a screen reader, as YAML: a line for each role, with its name."""
        return self.tell("aria")

    def offline(self, offline):
        """Take the network away, or give it back."""
        self.tell("offline", offline=offline)

    def reload(self):
        self.tell("reload")

    def problems(self):
        """What went wrong since the last call: JavaScript errors, error lines of the console, requests to elsewhere."""
        return self.tell("problems")

    def close(self):
        """Close it, as a person closes a tab."""
        self.tell("close")
        del self._browser._pages[self.name]
