"""What all three ports tell browsers: every page, file and refusal has a policy, and only our own pages may read what is answered."""

import http.client
import json
import shutil
from pathlib import Path
from urllib.parse import urljoin

import pytest
import system
from line import wait_until
from page_rules import addresses, check_headers, check_page, loaded_by

from speeddata.registry.document import document

ROOT = Path(__file__).parent.parent
FOREIGN = ("http://evil.example", "http://127.0.0.1:9", "https://127.0.0.1", "null")
PAGES = {
    "api": ("/", "/history", "/system", "/login", "/pages/gallery.html", "/pages/mine.html"),
    "pivot": ("/", "/docs"),
}
MINE = (
    "<!doctype html><title>Mine</title><style>p { color: red }</style><script src='/pages/mine.js'></script>"
)
HTML = {"Accept": "text/html"}
REFUSED = [
    ("api", "GET", "/nosuch", {}, 404),
    ("api", "GET", "/pages/nosuch.html", HTML, 404),
    ("api", "GET", "/static/pages/nosuch.js", {}, 404),
    ("api", "GET", "/api/v1/channels/nosuch", HTML, 404),
    ("api", "PUT", "/api/v1/channels", {}, 405),
    ("api", "POST", "/api/v1/channels", {}, 400),
    ("api", "GET", "/", {"Host": "evil.example"}, 400),
    ("api", "GET", "/", {"Host": "x; script-src *"}, 400),
    ("api", "GET", "/api/v1/channels", {"Authorization": ""}, 401),
    ("api", "GET", "/", HTML | {"Authorization": ""}, 303),
    ("api", "POST", "/api/v1/channels", {"Origin": "http://evil.example"}, 403),
    ("pivot", "GET", "/nosuch", HTML, 404),
    ("pivot", "GET", "/docs/nosuch.js", {}, 404),
    ("pivot", "GET", "/docs", {"Host": "evil.example"}, 400),
    ("pivot", "GET", "/api/v1/signals", {"Authorization": ""}, 401),
    ("pivot", "POST", "/api/v1/ingest", {"Origin": "http://evil.example"}, 403),
    ("pivot", "PUT", "/docs", {}, 405),
    ("live", "GET", "/", HTML, 426),
    ("live", "GET", "/status", {"Host": "evil.example"}, 400),
    ("live", "GET", "/status", {"Origin": "http://evil.example"}, 403),
    ("live", "GET", "/status", {"Authorization": ""}, 401),
]


class Ports:
    """The three of a system."""

    def __init__(self, running):
        self.of = {
            "api": running.api_port,
            "pivot": running.pivot_port,
            "live": running.websocket_port,
        }
        self.token = (running.data / "run" / "token").read_text().strip()

    def ask(self, port, path, method="GET", **headers):
        """Status, headers and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.of[port], timeout=30)
        try:
            connection.request(method, path, headers={"Authorization": f"Bearer {self.token}"} | headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def answers(self, port):
        try:
            return self.ask(port, "/status" if port == "live" else "/docs")[0] == 200
        except OSError:
            return False

    def check(self, headers, *, own_style=False):
        check_headers(headers, self.of.values(), own_style=own_style)


@pytest.fixture(scope="module")
def ports(tmp_path_factory):
    data = tmp_path_factory.mktemp("policy") / "data"
    data.mkdir(mode=0o700)
    shutil.copytree(ROOT / "examples" / "pages", data / "pages")
    (data / "pages" / "mine.html").write_text(MINE)
    (data / "pages" / "mine.js").write_text("document.title = 'Mine';")
    with system.run(data, "--set", "global.access.required=true") as running:
        found = Ports(running)
        wait_until(lambda: found.answers("pivot") and found.answers("live"), "history and live data")
        yield found


@pytest.mark.parametrize("port", PAGES)
def test_every_page_and_every_file_of_it(ports, port):
    charts = ROOT / "stripchart" / "static"
    modules = [f"/static/stripchart/{one.relative_to(charts)}" for one in charts.rglob("*.*s")]
    waiting, seen, pages = [*PAGES[port], *(modules if port == "api" else ())], set(), 0
    while waiting:
        path = waiting.pop().partition("#")[0].partition("?")[0]
        if path in seen or path.startswith(("data:", "/api/")) or not path:
            continue
        seen.add(path)
        status, headers, text = ports.ask(port, path, Accept="text/html,*/*")
        assert status == 200, path
        own = path.startswith("/pages/")
        ports.check(headers, own_style=own)
        assert addresses(text) == [], path
        if headers.get_content_type() == "text/html":
            page, pages = check_page(text, own_style=own), pages + 1
            waiting += [urljoin(path, one) for one in (*page.loads, *page.links)]
        elif headers.get_content_type() in ("text/javascript", "text/css"):
            waiting += loaded_by(path, text)
    assert pages >= len(PAGES[port])
    folders = {"api": ("registry/pages", "/static/pages"), "pivot": ("pivot/pages", "/docs")}
    folder, below = folders[port]
    loose = {f"{below}/{one.name}" for one in (ROOT / folder).iterdir() if one.suffix in (".js", ".css")}
    assert loose <= seen, "files that no page loads"


@pytest.mark.parametrize(("port", "method", "path", "headers", "status"), REFUSED)
def test_every_refusal(ports, port, method, path, headers, status):
    found, told, text = ports.ask(port, path, method, **headers)
    assert found == status, text
    ports.check(told)
    assert "access-control-allow-origin" not in told
    if told.get_content_type() == "text/html":  # that one has to log in
        assert found == 303
        check_page(text, own_style=False)


def paths_of(ports, port):
    """All that can be asked for with GET, of nothing in particular."""
    told = document() if port == "api" else json.loads(ports.ask("pivot", "/openapi.json")[2])
    swaps = {"{name}": "x", "{id}": "1", "{port}": "26000"}
    for path, methods in told["paths"].items():
        if "get" in methods and not path.endswith("/doctor"):  # it looks at the machine for seconds
            for part, value in swaps.items():
                path = path.replace(part, value)
            yield path


@pytest.mark.parametrize("port", ["api", "pivot", "live"])
def test_no_page_of_elsewhere_reads_an_answer(ports, port):
    """But for where the services are, the chart modules, and the alarms of charts in a page that was opened as a file."""
    paths = ["/status", "/"] if port == "live" else [*PAGES[port], *paths_of(ports, port)]
    assert len(paths) > (1 if port == "live" else 15)
    for path in paths:
        for origin in ("http://evil.example", "null"):
            _, headers, _ = ports.ask(port, path, Origin=origin)
            open_to = headers["Access-Control-Allow-Origin"]
            if (port, path) == ("api", "/api/v1/services"):
                assert open_to == "*"
            elif (port, path, origin) == ("api", "/api/v1/alarms", "null"):
                assert (open_to, headers["Vary"]) == ("null", "Origin")
            else:
                assert open_to is None, (path, origin)
            assert "Access-Control-Allow-Credentials" not in headers, (path, origin)


@pytest.mark.parametrize("port", ["api", "pivot"])
@pytest.mark.parametrize("origin", FOREIGN)
def test_no_page_of_elsewhere_may_ask_first(ports, port, origin):
    preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    _, headers, _ = ports.ask(port, "/api/v1/channels", "OPTIONS", **preflight)
    assert not [name for name in headers if name.lower().startswith("access-control-")]


def test_the_registrys_pages_read_the_history(ports):
    for host in ("127.0.0.1", "localhost"):
        origin = f"http://{host}:{ports.of['api']}"
        _, headers, _ = ports.ask("pivot", "/api/v1/signals", Origin=origin)
        assert headers["Access-Control-Allow-Origin"] == origin
        assert headers["Access-Control-Allow-Credentials"] == "true"
        assert "Origin" in headers["Vary"]
    _, headers, _ = ports.ask("api", "/static/stripchart/main.js", Origin="http://evil.example")
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in headers
