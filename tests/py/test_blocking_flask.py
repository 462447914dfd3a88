"""An ordinary Flask application that asks other services by ``requests`` and a database by MySQLdb, unmodified, in one worker."""

import time

import pytest

from serving import Probe, Server, many

pytestmark = pytest.mark.green_waits

CLIENTS = 100


def test_a_hundred_slow_requests_at_once(mysql):
    """Each waits 0.6 s, a minute in all. The times have a wide margin: a hundred connections to MariaDB are opened in the first round, and Flask computes."""
    with Server("slow_service", CLIENTS, apps=True) as prices:
        env = {"MYSQL_PORT": mysql.port, "PRICES": prices.url}
        with Server("flask_shop:app", None, ["--async", CLIENTS + 1], env=env) as server:
            for limit in (20, 10):
                with Probe(server.port, "/quick") as probe:
                    began = time.monotonic()
                    answers = many(CLIENTS, lambda i: server.get(f"/order/{i}", timeout=60).json)
                    took = time.monotonic() - began
                probe.check(0.5)
                assert [(a["number"], a["asked"], a["slept"], a["price"]) for a in answers] == [(i, i, 0, "3") for i in range(CLIENTS)]
                assert took < limit, f"{took} s"
                # Connections are the cores', as threading.local is: at this moment no two requests had the same.
                assert len({a["connection"] for a in answers}) > CLIENTS / 2
            assert not server.warnings
