"""MySQLdb, which is C only. It has no pool of its own, so connections are in a queue."""

import json
import os
import queue

import MySQLdb

from bench.waiting.apps.page import page

pool = queue.LifoQueue()
for _ in range(int(os.environ["BENCH_CONNECTIONS"])):
    pool.put(MySQLdb.connect(autocommit=True, **json.loads(os.environ["BENCH_MYSQL"])))


def wait(seconds):
    connection = pool.get()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT SLEEP(%s)", (seconds,))
    finally:
        pool.put(connection)


application = page(wait)
