"""Every block of commands of README.md and docs/*.md, in the order of each page, against one real system."""

import json
import re
import shutil
import socket
import struct
import subprocess
import time
from pathlib import Path

import docs_tables
import pytest
import requests
from docs_blocks import (
    FENCE,
    LANGUAGES,
    LIMIT_S,
    OTHERS,
    PAGES,
    PROGRAM,
    ROOT,
    Block,
    Shell,
    blocks,
    parse,
    path_with_python,
)
from docs_tables import ELSEWHERE, ENDLESS, PRESUMED, PRINTS
from line import wait_until
from ports import free_port, free_tcp_ports

# Pages that a test of their own runs, from an environment of their own.
OWN_TEST = {"docs/first-hour.md": "tests/test_first_hour.py"}


def rows(table, block):
    return [row for row in table if row.page == block.page and block.code.startswith(row.begins)]


class Home:
    """An empty folder as home, with ports of its own, and what README and the other pages have on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "home"
        self.folder.mkdir()
        self.api, live, history, *others = free_tcp_ports(6)
        self.engine = free_port()
        self.url = f"http://localhost:{self.api}"
        ports = "--api-port {} --websocket-port {} --pivot-port {}"
        config = self.folder / "etc/speeddata"
        service = f"http://localhost:{history}"
        swaps = {
            "speeddata run --config": f"speeddata run --data other {ports.format(*others)} --config",
            "speeddata run --data": f"speeddata run {ports.format(self.api, live, history)} --config {config} --data",
            "speeddata run --data data": f"speeddata run {ports.format(*others)} --data data",
            "mkdir -m 750 data": "mkdir other-place\nmv backup.tar other-place\ncd other-place\nmkdir -m 750 data",
            "localhost:8080": f"localhost:{self.api}",
            "localhost:8000": f"localhost:{history}",
            "26010": str(self.engine),
            "26000": str(free_port()),
            "26020": str(free_port()),
            "speeddata sql": f"speeddata sql --url {service}",
            "speeddata import frequency": f"speeddata import --quiet --api {self.url}/api/v1 frequency",
            "speeddata send engine --test": "speeddata send engine --test --count 20",
            "speeddata service install": "speeddata service install --user",
            "speeddata service show": "speeddata service show --user",
            "speeddata export": f"speeddata export --url {service}",
            "speeddata.Client()": f'speeddata.Client("{self.url}", "{service}")',
            "speeddata restart\n": "speeddata restart --data data\n",
            "speeddata config deploy /srv/settings": f"speeddata config deploy --to {self.folder}/deployed {self.folder}/srv/settings",
            "ssh://git.example.org/settings /srv/settings": f"{self.folder}/settings {self.folder}/srv/settings",
            "for host in hosts": "cd srv/settings\nfor host in hosts",
            "/etc/speeddata": str(config),
            "/opt/speeddata": f"{self.folder}/opt/speeddata",
            "/usr/local/bin": f"{self.folder}/bin",
            "examples/": f"{ROOT}/examples/",
            "2026-11-22T14:30:00Z --end 2026-11-22T14:31:00Z": "2026-01-01 --end 2036-01-01",
            "--start 2026-11-22T14:30:00Z --end 2026-11-22T14:40:00Z": "--start 2026-01-01 --end 2036-01-01 --speed max",
        }
        self.shell = Shell(
            self.folder, swaps, PATH=path_with_python(), HOME=str(self.folder), SPEEDDATA_URL=self.url,
            PYTHONUNBUFFERED="1", TERM="xterm", XDG_STATE_HOME=str(folder / "state"), GIT_CONFIG_GLOBAL="/dev/null",
        )  # fmt: skip
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server: subprocess.Popen[bytes] | None = None
        self._lay_settings(config)

    def _lay_settings(self, config: Path) -> None:
        """A config folder, and a repository of several machines'."""
        shutil.copytree(ROOT / "config/agents", config / "agents")
        (config / "agents/engine_2.avsc").write_text(
            '{"type": "record", "name": "engine", "fields": [{"name": "time", "type": "double"},'
            ' {"name": "speed", "type": "double"}, {"name": "torque", "type": ["null", "double"], "default": null}]}'
        )
        (config / "relay.yaml").write_text("decimation: {rate_hz: 20}\n")
        body = next(block.code for block in blocks("README.md") if '"port": 26010' in block.code)
        schema = json.loads(body.split("'")[1])["schema"]
        (self.folder / "engine.avsc").write_text(json.dumps(schema))
        limited = {"name": "vibration", "type": "double", "speeddata": {"limits": {"alarm": [0, 1]}}}
        schema["fields"][1:] = [limited]
        (self.folder / "machine.avsc").write_text(json.dumps(schema))
        settings = self.folder / "settings"
        shutil.copytree(config, settings)
        (settings / "hosts/gpu1").mkdir(parents=True)
        (settings / "hosts/gpu1/relay.yaml").write_text("decimation: {rate_hz: 10}\n")
        git = ["git", "-C", settings, "-c", "user.name=a", "-c", "user.email=a@example.org"]
        for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "Settings"]):
            subprocess.run([*git, *words], check=True)

    def send(self) -> None:
        """A record of the README's engine."""
        self.socket.sendto(struct.pack("<3d", time.time(), 3000, 200), ("127.0.0.1", self.engine))

    def channel(self, name: str) -> dict:
        return requests.get(f"{self.url}/api/v1/channels/{name}", timeout=10).json()

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/healthz", timeout=10).ok
        except requests.ConnectionError:
            return False

    def begin(self, block: Block) -> None:
        """`speeddata run` of the README, which holds its terminal."""
        with (self.folder / "server.out").open("wb") as output:
            self.server = self.shell.start(block.language, f"exec {block.code}", output.fileno())
        wait_until(lambda: self.answers() or self.server.poll() is not None, "the API", LIMIT_S)
        assert self.server.poll() is None, (self.folder / "server.out").read_text()
        (self.folder / "data").symlink_to("engine-data")

    def run(self, block: Block) -> str:
        """Run a block, line by line where one of them does not end by itself."""
        parts = [block.code] if block.language == "python" else block.code.splitlines(keepends=True)
        if not any(rows(ENDLESS, Block(block.page, 0, "", part)) for part in parts):
            return self.shell.run(block.language, block.code)
        said = ""
        for part in parts:
            endless = rows(ENDLESS, Block(block.page, 0, "", part))
            if endless:
                said += self.watch(block.language, part, endless[0])
            else:
                said += self.shell.run(block.language, part)
        return said

    def watch(self, language: str, code: str, row: docs_tables.Endless) -> str:
        def seen(printed: str) -> object:
            self.send()
            return re.search(row.prints, printed, re.MULTILINE)

        return self.shell.run_until(language, code, seen, row.statuses)

    def close(self) -> None:
        self.socket.close()
        if self.server and self.server.poll() is None:
            self.server.terminate()
            self.server.wait(LIMIT_S)


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path)
    yield made
    made.close()


def try_block(home, block):
    """What went wrong with a block."""
    begun = time.monotonic()
    try:
        said = home.run(block)
        if "sendto" in block.code:
            # The block being filled is written when it is a second old.
            wait_until(lambda: home.channel("engine")["stats"]["archived"] == 500, "the last block")
        for row in rows(PRINTS, block):
            assert re.search(row.pattern, said), f"no {row.pattern!r} in\n{said}"
    except AssertionError as error:
        return [f"{block.place}: {error}"]
    finally:
        print(f"{block.place}: {time.monotonic() - begun:.1f} s")
    return []


@pytest.mark.slow
def test_every_block_does_what_its_page_says(home):
    """README up to its end, then the other pages, then README's end."""
    todo = [block for block in blocks("README.md") if not rows(ELSEWHERE, block)]
    first, *middle, last = todo
    assert first.code.startswith("speeddata run")
    assert last.code.startswith("speeddata stop")
    home.begin(first)
    wrong = [problem for block in middle for problem in try_block(home, block)]
    for page in PAGES[1:]:
        todo = [block for block in blocks(page) if not rows(ELSEWHERE, block) and page not in OWN_TEST]
        if todo and page in PRESUMED:
            home.shell.run("sh", PRESUMED[page])
        wrong += [problem for block in todo for problem in try_block(home, block)]
        home.shell.begin_anew()
    wrong += try_block(home, last)
    assert not wrong, "\n\n".join(wrong)
    assert home.server.wait(LIMIT_S) == 0
    assert not home.answers()


@pytest.mark.parametrize("row", [*ELSEWHERE, *PRINTS], ids=lambda row: f"{row.page}: {row.begins}")
def test_each_row_is_of_one_block(row):
    assert len([block for block in blocks(row.page) if rows([row], block)]) == 1


@pytest.mark.parametrize("row", ENDLESS, ids=lambda row: f"{row.page}: {row.begins}")
def test_each_endless_row_is_of_one_line(row):
    lines = [line for block in blocks(row.page) for line in block.code.splitlines()]
    assert len([line for line in lines if line.startswith(row.begins)]) == 1


@pytest.mark.parametrize("row", ELSEWHERE, ids=lambda row: f"{row.page}: {row.begins}")
def test_what_is_not_run_is_shown_by_another_test(row):
    assert row.why
    assert (ROOT / row.shown_by).is_file()


def test_pages_with_a_test_of_their_own_are_run_by_it():
    for page, test in OWN_TEST.items():
        assert (ROOT / page).is_file()
        assert Path(page).name in (ROOT / test).read_text()


def test_what_pages_presume_is_of_pages():
    assert set(PRESUMED) <= set(PAGES)
    assert "docs/command-line.md" in PAGES
    assert sum(len(blocks(page)) for page in PAGES) > 60


@pytest.mark.parametrize("page", PAGES)
def test_no_block_is_in_a_language_that_nobody_knows(page):
    inside = ""
    for line in (ROOT / page).read_text(encoding="utf-8").splitlines():
        if re.match(r" *(```|~~~)", line):
            fence = FENCE.match(line)
            assert fence, f"{line}: no fence that is understood"
            assert inside or fence[3] in (*LANGUAGES, *OTHERS), line
            inside = "" if inside else fence[3]
        else:
            assert not (inside == "text" and PROGRAM.match(line)), f"a command in a block of text: {line}"
    assert not inside


PAGE = """# A page

    speeddata status

    said by it, no command

```sh
echo one
```

1. A list

   ```python
   print(2)

   print(3)
   ```

```json
{"speeddata": 1}
```

    $ speeddata tail a
    a 1
    $ speeddata tail b
"""


def test_blocks_are_found_with_their_lines():
    assert [(block.line, block.language, block.code) for block in parse("page.md", PAGE)] == [
        (3, "sh", "speeddata status\n"),
        (8, "sh", "echo one\n"),
        (14, "python", "print(2)\n\nprint(3)\n"),
        (23, "console", "speeddata tail a\nspeeddata tail b\n"),
    ]


def test_a_block_that_fails_is_told(tmp_path):
    (tmp_path / "home").mkdir()
    shell = Shell(tmp_path / "home", {"old": "new"}, PATH=path_with_python())
    assert shell.run("sh", "export A=old\necho $A\n") == "new\n"
    assert shell.run("sh", "echo $A\n") == "new\n"
    for language, code in (
        ("sh", "false\ntrue\n"),
        ("sh", "false | true\n"),
        ("python", "raise SystemExit(3)\n"),
    ):
        with pytest.raises(AssertionError, match="status"):
            shell.run(language, code)
    with pytest.raises(AssertionError, match="took longer than 0.01 s"):
        shell.run("sh", "sleep 60\ntrue\n", limit_s=0.01)
    with pytest.raises(AssertionError, match="ended by itself with 0"):
        shell.run_until("sh", "true\n", lambda _: False, (0,))
    with pytest.raises(AssertionError, match="status -2 at Ctrl-C"):
        shell.run_until("sh", "exec sleep 60\n", lambda _: True, (0,))
