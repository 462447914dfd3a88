"""What libraries keep "per thread" belongs to the core: kept from one request to the next, and never shared by two that run at the same time."""

import pytest

from serving import Server, many

CORES = 12


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    pytest.importorskip("sqlalchemy")
    pytest.importorskip("django")
    with Server("databases", cores=CORES, env={"UGREEN_TEST_FOLDER": str(tmp_path_factory.mktemp("databases"))}) as s:
        yield s


@pytest.mark.parametrize("kind", ["sql_alchemy", "django_connection", "current_thread"])
def test_one_per_core_and_not_one_per_request(server, kind):
    of_core = {}
    for turn in range(4):
        answers = many(CORES, lambda i, turn=turn: server.get(f"/{kind}?group={kind}-{turn}&n={CORES}").json)
        assert {core for core, _ in answers} == set(range(CORES))
        for core, seen in answers:
            assert len(set(seen)) == 1, f"core {core} saw different ones within one request"
            assert of_core.setdefault(core, seen[0]) == seen[0], f"core {core} has another one than in the request before"
    assert len(set(of_core.values())) == CORES, "two cores share one"
