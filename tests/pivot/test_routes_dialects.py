import history
import pytest
import requests
from dialect_world import world


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with world(tmp_path_factory.mktemp("dialects")) as running:
        yield running


def get(running, path, accept):
    return requests.get(running.service.address + path, headers={"accept": accept}, timeout=60)


def test_the_root_is_a_page_for_browsers(running):
    answer = get(running, "/", "text/html,application/xhtml+xml,*/*;q=0.8")
    assert answer.headers["content-type"].startswith("text/html")
    assert 'href="/docs"' in answer.text


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
def test_the_root_is_json_else(running, accept):
    told = get(running, "/", accept).json()
    assert (told["message"], told["docs"]) == ("Async Query API is running", "/docs")
    assert {"version", "redis_status"} < told.keys()


@pytest.mark.parametrize("body", [{}, {"points": []}, 5, "x", None])
def test_a_body_of_neither_form(running, body):
    answer = running.post("/ingest", body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][0] == "body"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"NaN", b"[" * 5000])
def test_a_body_that_is_no_json(running, body):
    for path in ("/ingest", "/query"):
        assert requests.post(running.service.address + path, data=body, timeout=60).status_code == 422


def test_a_body_that_is_too_large(running):
    pieces = iter([b" " * (1 << 20)] * 17)
    assert requests.post(f"{running.service.address}/ingest", data=pieces, timeout=60).status_code == 413


def test_without_a_shared_relay(tmp_path):
    with history.running(tmp_path) as service:
        body = {"data": [{"time": "2020-01-01", "metric": "a", "value": 1}]}
        answer = requests.post(f"{service.address}/ingest", json=body, timeout=60)
        assert answer.status_code == 503
        assert answer.json()["detail"] == answer.json()["error"]


def test_the_document_has_all_paths(running):
    paths = running.told("/openapi.json")["paths"]
    wanted = {"/", "/data/raw/{table}", "/data/aggregated/{table}", "/ingest", "/query", "/metrics", "/health", "/get_range",
              "/min", "/hourly", "/cache/info", "/cache/clear", "/cache/metrics/{metric}/clear", "/cache/keys"}  # fmt: skip
    assert wanted <= paths.keys()
    assert "422" in paths["/query"]["post"]["responses"]
