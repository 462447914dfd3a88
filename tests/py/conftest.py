"""What all tests of this folder share. The harness itself is serving.py."""

import faulthandler
import resource
import signal
import subprocess
import sys
import time

import pytest

import fronts
import mariadb
import postgres
import serving

# A test may hold two thousand connections, and the server as many more; children inherit the limit.
_WANTED_FILES = 16384

# No single test may take longer (but for one that says so with pytest.mark.seconds); a hang then fails that test with the place where it hung, instead of stopping the suite.
_TEST_SECONDS = 180


def pytest_configure(config):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(_WANTED_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def pytest_report_header(config):
    return None if serving.GREEN_WAITS else "servers run with --ugreen-blocking=false"


def pytest_collection_modifyitems(config, items):
    """The other way round is seldom tested alone, so what belongs to one way only is skipped and not failed."""
    if serving.GREEN_WAITS:
        return
    for item in items:
        if item.get_closest_marker("green_waits"):
            item.add_marker(pytest.mark.skip(reason="blocking calls do not wait green in this run"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """Ends a test (with its fixtures) that runs too long by an exception in the main thread."""
    marker = item.get_closest_marker("seconds")
    limit = marker.args[0] if marker else _TEST_SECONDS

    def too_long(signum, frame):
        faulthandler.dump_traceback(file=sys.__stderr__)
        raise TimeoutError(f"{item.nodeid} took longer than {limit} s")

    previous = signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@pytest.fixture(scope="session", autouse=True)
def _server_is_built():
    """Lets the launcher install and build what it must once, so that no test waits for a compiler; ends what is left over."""
    serving.prepare()
    yield
    serving.kill_leftovers()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what the servers it used have logged."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for server in serving.servers_since(time.monotonic() - call.duration - 1):
            report.sections.append((f"log of server {server.pid} ({server.app}), last part", server.log[-8000:]))


@pytest.fixture
def control():
    """A fresh serving.Control; give its ``env`` to the Server."""
    with serving.Control() as c:
        yield c


@pytest.fixture(scope="session")
def database():
    """A throw-away PostgreSQL for all tests that leave it as it was; one that stops it makes a postgres.Postgres of its own."""
    with postgres.Postgres(max_connections=300) as server:
        yield server


@pytest.fixture(scope="session")
def c_library(tmp_path_factory):
    """Path of tests/py/apps/blocking_library.c as a shared library."""
    path = tmp_path_factory.mktemp("library") / "blocking_library.so"
    source = serving.APPS / "blocking_library.c"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", path, source, "-lpthread"], check=True, timeout=60)
    return str(path)


@pytest.fixture(scope="session")
def mysql():
    """A throw-away MariaDB for all tests that leave it as it was."""
    with mariadb.MariaDb(max_connections=300) as server:
        yield server


@pytest.fixture(params=fronts.ALL_FRONTS)
def front(request, service):
    """Each fronts.Front in turn, for a test that must pass over all of them; its module has the fixture ``service``."""
    return service.front(request.param)
