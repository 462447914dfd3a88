"""requests with one session for the process, whose pool keeps a connection for each request under way."""

import os

import requests
from requests.adapters import HTTPAdapter

from bench.waiting.apps.page import page

URL = os.environ["BENCH_URL"]

session = requests.Session()
session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=int(os.environ["BENCH_CONNECTIONS"])))


def wait(seconds):
    assert session.get(f"{URL}/{seconds}", timeout=30).text == "done\n"


application = page(wait)
