"""SQLAlchemy's scoped_session and Django's connection, which both are "one per thread" to their libraries: here one per core."""

import json
import os
import threading
import urllib.parse

import django
import django.conf
import sqlalchemy
import sqlalchemy.orm
import sqlalchemy.pool
import uwsgi

import meeting

FOLDER = os.environ["UGREEN_TEST_FOLDER"]
django.conf.settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{FOLDER}/django.sqlite", "CONN_MAX_AGE": None}}, USE_TZ=True)
django.setup()

from django.db import connections, transaction  # noqa: E402

engine = sqlalchemy.create_engine(f"sqlite:///{FOLDER}/alchemy.sqlite", poolclass=sqlalchemy.pool.QueuePool, pool_size=100, connect_args={"check_same_thread": False})
Session = sqlalchemy.orm.scoped_session(sqlalchemy.orm.sessionmaker(engine))

# Kept for ever, so that no two can have the same id because one of them has died.
_kept = []


def _number(thing):
    for number, known in enumerate(_kept):
        if known is thing:
            return number
    _kept.append(thing)
    return len(_kept) - 1


def sql_alchemy():
    first = Session()
    seen = [_number(first)]
    for i in range(5):
        uwsgi.suspend()
        seen.append(_number(Session()))
        assert Session.execute(sqlalchemy.text("select :i"), {"i": i}).scalar() == i
    seen.append(_number(Session.connection().connection.driver_connection))
    uwsgi.suspend()
    Session.rollback()
    return seen[:-1]


def django_connection():
    seen = []
    for i in range(5):
        connection = connections["default"]
        seen.append(_number(connection))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("select %s", [i])
            uwsgi.suspend()
            assert connection.in_atomic_block
            assert cursor.fetchone() == (i,)
        uwsgi.suspend()
        assert not connection.in_atomic_block
    seen.append(_number(connections["default"]))
    return seen


def current_thread():
    seen = []
    for _ in range(5):
        seen.append(_number(threading.current_thread()))
        uwsgi.suspend()
    assert threading.current_thread().name == f"ugreen-core-{uwsgi.async_id()}"
    return seen


KINDS = {f.__name__: f for f in (sql_alchemy, django_connection, current_thread)}


def application(environ, start_response):
    query = dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))
    meeting.meet(query["group"], int(query["n"]))
    seen = KINDS[environ["PATH_INFO"][1:]]()
    meeting.meet(query["group"] + " done", int(query["n"]))
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps([environ["uwsgi.core"], seen]).encode()]
