"""requests.get(): what most programs write. A session and a connection of its own for each call."""

import os

import requests

from bench.waiting.apps.page import page

URL = os.environ["BENCH_URL"]


def wait(seconds):
    assert requests.get(f"{URL}/{seconds}", timeout=30).text == "done\n"


application = page(wait)
