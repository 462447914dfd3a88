"""Django's connection, SQLAlchemy's sessions and pools, psycopg2's pool, all on PostgreSQL and all at their defaults; a test says what to do with them."""

import json
import os
import urllib.parse

import django
import django.conf
import psycopg2.pool
import sqlalchemy
import sqlalchemy.orm
import ugreen
import uwsgi

import meeting

HOST, PORT = os.environ["PG_HOST"], os.environ["PG_PORT"]
DSN = f"host={HOST} port={PORT} user=test dbname=postgres"
URL = f"postgresql+psycopg2://test@{HOST}:{PORT}/postgres"

django.conf.settings.configure(DATABASES={"default": {
    "ENGINE": "django.db.backends.postgresql", "HOST": HOST, "PORT": PORT, "USER": "test", "NAME": "postgres", "CONN_MAX_AGE": None, "OPTIONS": {"application_name": "django"},
}}, USE_TZ=True)
django.setup()

from django.core.signals import request_finished, request_started  # noqa: E402
from django.db import connection, transaction  # noqa: E402


def engine(name, **options):
    return sqlalchemy.create_engine(URL, connect_args={"application_name": name}, **options)


scoped_engine = engine("scoped", pool_size=5, max_overflow=1000)
Session = sqlalchemy.orm.scoped_session(sqlalchemy.orm.sessionmaker(scoped_engine))
small_engine = engine("small", pool_size=3, max_overflow=2, pool_timeout=20)
tiny_engine = engine("tiny", pool_size=1, max_overflow=0, pool_timeout=2)
pool = psycopg2.pool.ThreadedConnectionPool(1, 100, DSN + " application_name=pool")


def django_query(sql):
    request_started.send(sender=None)
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0]
    finally:
        request_finished.send(sender=None)


def django_transaction(sql):
    request_started.send(sender=None)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0]
    finally:
        request_finished.send(sender=None)


def scoped(sql):
    """A session that the core keeps."""
    try:
        answer = Session.execute(sqlalchemy.text(sql)).scalar()
        Session.commit()
        return answer
    except BaseException:
        Session.rollback()
        raise


def removed(sql):
    """A session that ends with the request."""
    try:
        return Session.execute(sqlalchemy.text(sql)).scalar()
    finally:
        Session.remove()


def from_small(sql):
    with small_engine.connect() as conn:
        return conn.execute(sqlalchemy.text(sql)).scalar()


def from_tiny(sql):
    global waiting
    waiting += 1
    try:
        conn = tiny_engine.connect()
    finally:
        waiting -= 1
    with conn, conn.begin():
        return conn.execute(sqlalchemy.text(sql)).scalar()


waiting = 0


def waiting_for_tiny(sql):
    """How many requests wait for a connection just now."""
    return waiting


def from_pool(sql):
    conn = pool.getconn()
    try:
        with conn, conn.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0]
    finally:
        pool.putconn(conn)


KINDS = {f.__name__: f for f in (django_query, django_transaction, scoped, removed, from_small, from_tiny, waiting_for_tiny, from_pool)}


def application(environ, start_response):
    query = dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))
    if "group" in query:
        meeting.meet(query["group"], int(query["n"]))
    answer = {"core": uwsgi.async_id()}
    try:
        with ugreen.timeout(float(query["limit"]) if "limit" in query else None):
            answer["result"] = KINDS[environ["PATH_INFO"][1:]](query["sql"])
    except Exception as error:
        answer["error"], answer["text"] = type(error).__name__, str(error)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer, default=str).encode()]
