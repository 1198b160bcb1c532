import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from speeddata.config_command import config
from speeddata.config_deploy import MANIFEST
from speeddata.folder_lock import alone_in
from speeddata.settings import load_settings

SCHEMA = '{"type": "record", "name": "data", "fields": [{"name": "time", "type": "long"}]}'
RELAY = "# all machines\nchannels:\n- {name: a, port: 1, schema: agents/a.avsc}\ndecimation: {rate_hz: 20}\n"
OVER = (
    "channels:\n- {name: a, port: 2}\n- {name: b, port: 3, schema: agents/b.avsc}\ndecimation: {factor: 5}\n"
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return lay(tmp_path / "repo", {"relay.yaml": RELAY, "agents/a.avsc": SCHEMA, "hosts/one/relay.yaml": OVER, "hosts/one/agents/b.avsc": SCHEMA})  # fmt: skip


def lay(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def deploy(repository: Path, *options: str, status: int = 0, target: str = "etc") -> Any:
    arguments = ["deploy", str(repository), "--to", str(repository.parent / target), "--json", *options]
    done = CliRunner().invoke(config, arguments)
    assert done.exit_code == status, done.output
    return json.loads(done.stdout)


def states(told: Any) -> dict[str, str]:
    return {one["name"]: one["state"] for one in told["files"]}


def test_a_machine_gets_its_files_and_is_told_what_changes(repository: Path) -> None:
    told = deploy(repository, "--host", "one")
    assert (told["done"], told["overlaid"], told["host"], told["commit"]) == (True, True, "one", None)
    assert states(told) == dict.fromkeys(["agents/a.avsc", "agents/b.avsc", "relay.yaml"], "new")
    over = f"{repository}/hosts/one/relay.yaml"
    assert {one["setting"]: (one.get("before", "-"), one.get("after", "-"), one["origin"]) for one in told["settings"]} == {
        "relay.channels[a]": ("-", {"name": "a", "port": 2, "schema": "agents/a.avsc"}, f"{over}:2"),
        "relay.channels[b]": ("-", {"name": "b", "port": 3, "schema": "agents/b.avsc"}, f"{over}:3"),
        "relay.decimation.factor": (None, 5, f"{over}:4"),
        "relay.decimation.rate_hz": (50.0, None, f"replaced by decimation.factor ({over}:4)"),
    }  # fmt: skip
    target = repository.parent / "etc"
    settings = load_settings(target)
    assert settings.warnings == []
    assert [one["port"] for one in settings.flat["relay"]["channels"]] == [2, 3]
    assert settings.flat["relay"]["decimation.factor"] == 5
    assert {path.stat().st_mode & 0o777 for path in target.rglob("*") if path.is_file()} == {0o644}
    told = deploy(repository, "--host", "one")
    assert (told["files"], told["settings"], told["problems"]) == ([], [], [])


def test_a_machine_without_a_folder_gets_the_base_byte_for_byte(repository: Path) -> None:
    assert deploy(repository)["overlaid"] is False
    target = repository.parent / "etc"
    assert (target / "relay.yaml").read_text() == RELAY
    assert set(contents(target)) == {"relay.yaml", "agents/a.avsc", MANIFEST}


def test_only_what_changed_is_written_and_only_what_was_deployed_is_removed(repository: Path) -> None:
    target = repository.parent / "etc"
    deploy(repository, "--host", "one")
    own = {
        "local.yaml": "relay: {gro: true}\n",
        "agents/own.avsc": "x",
        "notes.txt": "y",
        "pivot.yaml": "# z\n",
    }
    lay(target, own)
    inode = (target / "agents/a.avsc").stat().st_ino
    (target / "relay.yaml").chmod(0o640)
    told = deploy(repository)
    assert states(told) == {"agents/b.avsc": "removed", "relay.yaml": "changed"}
    assert [one for one in told["settings"] if one["setting"] == "relay.channels[b]"][0]["before"][
        "port"
    ] == 3
    assert (target / "agents/a.avsc").stat().st_ino == inode
    assert (target / "relay.yaml").stat().st_mode & 0o777 == 0o640
    manifest = json.loads((target / MANIFEST).read_text())
    assert contents(target) == own | {
        "relay.yaml": RELAY,
        "agents/a.avsc": SCHEMA,
        MANIFEST: (target / MANIFEST).read_text(),
    }
    assert set(manifest["files"]) == {"relay.yaml", "agents/a.avsc"}


@pytest.mark.parametrize(
    ("file", "text", "place", "wanted"),
    [
        ("hosts/one/relay.yaml", "\ngro: 5", "hosts/one/relay.yaml:2", "gro is 5, wanted true or false"),
        ("relay.yaml", "gr0: 5", "relay.yaml:1", "unknown key gr0"),
        ("hosts/one/relay.yaml", OVER.replace("port: 3", "port: 2"), "hosts/one/relay.yaml:3", "one that channels[0] has not"),
        ("hosts/one/relay.yaml", "\nchannels: [{name: z}]", "hosts/one/relay.yaml:2", "channels[1].port is None"),
        ("hosts/one/agents/b.avsc", "{", "hosts/one/relay.yaml:3", "channels[1].schema is 'agents/b.avsc'"),
        ("pivot.yaml", "api:\n  port: 8081", "pivot.yaml:2", "wanted another port than stripchart.websocket.port"),
        ("../etc/local.yaml", "relay: {gro: 5}", "../etc/local.yaml:1", "gro is 5"),
    ],
)  # fmt: skip
def test_an_error_is_told_by_its_place_and_leaves_all_as_it_was(
    repository: Path, file: str, text: str, place: str, wanted: str
) -> None:
    target = repository.parent / "etc"
    deploy(repository, "--host", "one")
    lay(repository, {"stripchart.yaml": "# more\n", file: text})
    before = contents(target)
    told = deploy(repository, "--host", "one", status=2)
    assert told["in_order"] is False
    expected = f"{os.path.normpath(repository / place.rpartition(':')[0])}:{place.rpartition(':')[2]}: "
    assert any(one.startswith(expected) and wanted in one for one in told["problems"]), told["problems"]
    assert not any(".speeddata-" in one for one in told["problems"])
    assert contents(target) == before
    assert {path.name for path in repository.parent.iterdir()} == {"repo", "etc"}


def test_a_dry_run_changes_nothing(repository: Path) -> None:
    told = deploy(repository, "--host", "one", "--dry-run")
    assert (told["done"], len(told["files"]), len(told["settings"])) == (False, 3, 4)
    assert list(repository.parent.iterdir()) == [repository]


def test_what_no_deploy_put_there_is_let_alone_unless_told(repository: Path) -> None:
    target = lay(repository.parent / "etc", {"relay.yaml": "gro: true\n", "agents/a.avsc": SCHEMA})
    before = contents(target)
    told = deploy(repository, status=1)
    assert told["problems"] == [
        f"{target}/relay.yaml: was not put there by a deploy, wanted it out of the way, or --replace"
    ]
    assert told["done"] is False
    assert contents(target) == before
    told = deploy(repository, "--replace")
    assert states(told) == {"relay.yaml": "changed"}  # what is the same is taken over
    assert set(json.loads((target / MANIFEST).read_text())["files"]) == {"relay.yaml", "agents/a.avsc"}


def test_what_was_changed_by_hand_is_let_alone_unless_told(repository: Path) -> None:
    target = repository.parent / "etc"
    deploy(repository, "--host", "one")
    lay(target, {"agents/b.avsc": "mine", "relay.yaml": "gro: true\n"})
    told = deploy(repository, status=1)
    assert [one.partition(": ")[0] for one in told["problems"]] == [
        f"{target}/relay.yaml",
        f"{target}/agents/b.avsc",
    ]
    assert (target / "agents/b.avsc").read_text() == "mine"
    assert states(deploy(repository, "--replace")) == {"relay.yaml": "changed", "agents/b.avsc": "removed"}


def test_a_deploy_that_broke_off_is_taken_up(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = repository.parent / "etc"
    deploy(repository, "--host", "one")
    lay(
        repository,
        {"relay.yaml": RELAY.replace("20", "30"), "pivot.yaml": "# p\n", "agents/a.avsc": f"{SCHEMA} "},
    )
    rename = Path.replace

    def failing(path: Path, other: Path) -> Path:
        if other.name == "relay.yaml":
            raise OSError(5, "Input/output error")
        return rename(path, other)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", failing)
        assert "Input/output error" in deploy(repository, status=1)["problems"][0]
    assert not list(target.rglob("*.deploy"))
    assert (target / "agents/a.avsc").read_text() == f"{SCHEMA} "
    # Nobody need say --replace, though the repository has gone on meanwhile.
    lay(repository, {"agents/a.avsc": SCHEMA, "relay.yaml": RELAY})
    assert states(deploy(repository)) == {
        "agents/a.avsc": "changed",
        "agents/b.avsc": "removed",
        "relay.yaml": "changed",
    }
    assert load_settings(target).flat["relay"]["decimation.rate_hz"] == 20


def test_two_deploys_are_not_at_work_at_a_time(repository: Path) -> None:
    target = lay(repository.parent / "etc", {})
    target.mkdir()
    with alone_in(target) as alone:
        assert alone
        assert deploy(repository, status=1)["problems"] == [f"{target}: another deploy is at work there"]
    assert contents(target) == {}


@pytest.mark.parametrize(
    "text", ["", "{}", '{"files": {"../x": []}}', '{"files": {"local.yaml": []}}', '{"files": [1]}']
)
def test_a_list_that_cannot_be_used_is_refused(repository: Path, text: str) -> None:
    target = lay(repository.parent / "etc", {MANIFEST: text})
    assert deploy(repository, status=1)["problems"] == [
        f"{target}/{MANIFEST}: is no list of what was deployed, wanted it out of the way"
    ]


def test_a_folder_that_leads_elsewhere_is_not_written_to(repository: Path) -> None:
    elsewhere, target = repository.parent / "elsewhere", repository.parent / "etc"
    for folder in (elsewhere, target):
        folder.mkdir()
    (target / "agents").symlink_to(elsewhere)
    assert "leads out of" in deploy(repository, status=1)["problems"][0]
    assert contents(elsewhere) == contents(target) == {}


def test_what_is_pulled_is_deployed_and_said(tmp_path: Path) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    origin = lay(tmp_path / "origin", {"relay.yaml": "gro: true\n"})
    for command in (("init",), ("add", "."), (*who, "commit", "-m", "x")):
        subprocess.run(["git", "-C", origin, *command], check=True, capture_output=True)
    subprocess.run(["git", "clone", origin, tmp_path / "repo"], check=True, capture_output=True)
    lay(origin, {"relay.yaml": "gro: false\n"})
    subprocess.run(["git", "-C", origin, *who, "commit", "-am", "y"], check=True, capture_output=True)
    options = ["deploy", str(tmp_path / "repo"), "--to", str(tmp_path / "etc"), "--pull"]
    done = CliRunner().invoke(config, options)
    assert done.exit_code == 0, done.output
    first, *_, last = done.stdout.splitlines()
    assert " at " in first
    assert last == "files written: 1, removed: 0"
    assert (tmp_path / "etc" / "relay.yaml").read_text() == "gro: false\n"
    assert CliRunner().invoke(config, options).stdout.splitlines()[1:] == ["nothing differs"]
    subprocess.run(["git", "-C", tmp_path / "repo", "remote", "remove", "origin"], check=True)
    done = CliRunner().invoke(config, options)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("speeddata: git -C ")
