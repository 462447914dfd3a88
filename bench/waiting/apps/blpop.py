"""redis BLPOP on a list that stays empty. The client has a pool of its own, which opens connections as they are needed and keeps them."""

import os

import redis

from bench.waiting.apps.page import page

client = redis.Redis(host="127.0.0.1", port=int(os.environ["BENCH_REDIS"]))


def wait(seconds):
    assert client.blpop("nobody pushes", timeout=seconds) is None


application = page(wait)
