"""graphite-web (Django, SQLite, cairo): pictures, figures and searches over the same metrics, and events that clients add, as its documentation starts it."""

import hashlib
import json
import os
import subprocess
import time

import pytest

from real_apps import serve, visits

SCRIPT = "/usr/share/graphite-web/graphite.wsgi"

SETTINGS = """\
SECRET_KEY = 'of the tests'
TIME_ZONE = 'UTC'
GRAPHITE_ROOT = '/usr/share/graphite-web'
STATIC_ROOT = '/usr/share/graphite-web/static'
CONF_DIR = STORAGE_DIR = LOG_DIR = {folder!r}
LOG_ROTATION = False
INDEX_FILE = {folder!r} + '/index'
WHISPER_DIR = {folder!r} + '/whisper'
STANDARD_DIRS = [WHISPER_DIR]
# No server of Carbon's beside it.
CARBONLINK_HOSTS = []
DATABASES = {{'default': {{'NAME': {folder!r} + '/graphite.db', 'ENGINE': 'django.db.backends.sqlite3'}}}}
"""

SERIES = 5


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    whisper = pytest.importorskip("whisper")
    if not os.path.exists(SCRIPT):
        pytest.skip("no graphite-web")
    folder = tmp_path_factory.mktemp("graphite")
    (folder / "settings_of_test.py").write_text(SETTINGS.format(folder=str(folder)), encoding="utf-8")
    (folder / "whisper" / "servers").mkdir(parents=True)
    now = int(time.time()) // 60 * 60
    for i in range(SERIES):
        path = str(folder / "whisper" / "servers" / f"s{i}.wsp")
        whisper.create(path, [(60, 1440)])
        whisper.update_many(path, [(now - 60 * minute, minute * i) for minute in range(120)])
    env = {"GRAPHITE_SETTINGS_MODULE": "settings_of_test", "PYTHONPATH": str(folder)}
    subprocess.run(["graphite-manage", "migrate", "--run-syncdb"], env={**os.environ, **env}, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=120)
    with serve(None, ["--wsgi-file", SCRIPT], env=env, cwd=folder) as s:
        s.until = now - 600
        yield s


def test_metrics_pictures_and_events(server):
    span = f"from={server.until - 1800}&until={server.until}"

    def visit(name):
        seen = []

        def ask(path, what=lambda answer: answer.text, body=None):
            answer = server.post(path, body, timeout=120) if body else server.get(path, timeout=120)
            seen.append((path, answer.status, answer.headers["Content-Type"], what(answer)))

        ask("/version/")
        ask("/metrics/find?query=servers.*")
        ask(f"/render?target=servers.s3&{span}&format=json")
        ask(f"/render?target=alias(sumSeries(servers.*),'{name}')&{span}&format=csv")
        ask(f"/render?target=servers.*&{span}&format=png&noCache=1", lambda answer: (answer.body[:8].hex(), hashlib.sha256(answer.body).hexdigest()))
        ask("/events/", body=json.dumps({"what": f"event of {name}", "tags": [name], "data": "x"}))
        ask(f"/events/get_data?tags={name}", lambda answer: [(event["what"], event["tags"]) for event in answer.json])
        return seen

    alone = visits(visit)
    assert [status for _, status, _, _ in alone] == [200] * 7
    assert alone[-1][-1] == [["event of NAME", ["NAME"]]] and "NAME,20" in alone[3][-1]
