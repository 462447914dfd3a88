"""Sentry's SDK in a Flask application, which keeps what it knows of a request in contextvars and the like."""

import pytest

from serving import Server, many

CLIENTS = 40
EACH = 5


def test_events_have_their_own_requests_data():
    pytest.importorskip("sentry_sdk")
    with Server("sentry_app", cores=30, options=["--disable-logging"]) as server:
        def client(i):
            for turn in range(EACH):
                who = f"{i}.{turn}"
                assert server.get(f"/event/{who}").json == [who, who, [who], f"message of {who}", who, "event"]

        many(CLIENTS, client)
        assert "Traceback" not in server.log
