"""Served by UGreen.Py with --psycopg2 for ``bench/db``. GET /SECONDS sleeps that long in the database."""

import threading

import psycopg2

kept = threading.local()


def connection():
    if not hasattr(kept, "connection"):
        kept.connection = psycopg2.connect("")
        kept.connection.autocommit = True
    return kept.connection


def application(environ, start_response):
    with connection().cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", (float(environ["PATH_INFO"][1:]),))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"done\n"]
