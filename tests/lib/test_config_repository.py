import socket
import subprocess
from pathlib import Path

import pytest

from speeddata.config_repository import commit_of, host_name, pull, read_repository
from speeddata.errors import ConfigError, SpeedDataError


def lay(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def problems(repository: Path, host: str = "one", *, named: bool = False) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_repository(repository, host, named=named)
    return caught.value.problems


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True)


def test_files_without_overlay_are_taken_as_they_are(tmp_path: Path) -> None:
    text = "# why\ngro:   true  # because\n"
    lay(tmp_path, {"relay.yaml": text, "agents/a.avsc": "1", "agents/deep/b.avsc": "2", "README.md": "x", "agents/c.txt": "y"})  # fmt: skip
    lay(tmp_path, {".git/x.avsc": "3", "hosts/two/agents/a.avsc": "4", "hosts/two/relay.yaml": "gro: false"})
    source = read_repository(tmp_path, "one")
    assert source.files == {"relay.yaml": text.encode(), "agents/a.avsc": b"1", "agents/deep/b.avsc": b"2"}
    assert not source.overlaid
    assert source.documents["relay"].values == {"gro": True}


def test_a_hosts_files_are_laid_over_and_added(tmp_path: Path) -> None:
    lay(tmp_path, {"relay.yaml": "gro: true\nbusy_poll: true", "agents/a.avsc": "1", "pivot.yaml": "# p\n"})
    over = {"relay.yaml": "gro: false", "agents/a.avsc": "2", "agents/b.avsc": "3", "global.yaml": "# g\n"}
    lay(tmp_path / "hosts" / "one", over)
    source = read_repository(tmp_path, "one", named=True)
    relay = source.files.pop("relay.yaml").decode()
    assert source.files == {
        "agents/a.avsc": b"2",
        "agents/b.avsc": b"3",
        "global.yaml": b"# g\n",
        "pivot.yaml": b"# p\n",
    }
    head = "# Made by speeddata config deploy from relay.yaml and hosts/one/relay.yaml: edit those, or local.yaml.\n"
    assert relay == f"{head}gro: false\nbusy_poll: true\n"
    assert source.documents["relay"].place("gro") == f"{tmp_path}/hosts/one/relay.yaml:1"


def test_each_file_is_checked_where_it_stands(tmp_path: Path) -> None:
    lay(
        tmp_path, {"relay.yaml": "channels:\n- {name: a}\n- {name: b, port: 0}\ngr0: true", "pivot.yaml": "["}
    )
    lay(
        tmp_path / "hosts/one", {"relay.yaml": "\ndecimation: {factor: 5, rate_hz: 5}\nchannels: [{port: 1}]"}
    )
    said = [one.removeprefix(f"{tmp_path}/") for one in problems(tmp_path)]
    assert [one.partition(" is ")[0].partition(" (")[0] for one in said] == [
        "relay.yaml:4: unknown key gr0",
        "relay.yaml:3: channels[1].port",
        "hosts/one/relay.yaml:2: decimation.rate_hz",
        "hosts/one/relay.yaml:3: channels[0].name",
        "pivot.yaml:1: cannot be read as YAML: expected the node content, but found '<stream end>'",
    ]


def test_what_is_not_deployed_is_said(tmp_path: Path) -> None:
    lay(
        tmp_path,
        {"relay.yaml": "", "local.yaml": "", "relays.yaml": "", ".ci.yml": "", "hosts/one/x.yml": ""},
    )
    assert [
        one.removeprefix(f"{tmp_path}/").partition(" deployed")[0]
        for one in read_repository(tmp_path, "one").warnings
    ] == ["local.yaml: is not", "relays.yaml: is not", "hosts/one/x.yml: is not"]


@pytest.mark.parametrize("host", ["../one", "", ".", "a/b", "a b"])
def test_a_host_is_no_path(tmp_path: Path, host: str) -> None:
    assert problems(lay(tmp_path, {"relay.yaml": ""}), host) == [
        f"host is {host!r}, wanted the name of a machine"
    ]


def test_a_host_that_was_named_must_be_there(tmp_path: Path) -> None:
    lay(tmp_path, {"relay.yaml": ""})
    assert problems(tmp_path, named=True) == [
        f"host is 'one', wanted one that has a folder in {tmp_path}/hosts"
    ]
    lay(tmp_path, {"hosts/two/relay.yaml": "", "hosts/three/relay.yaml": ""})
    assert problems(tmp_path, named=True) == ["host is 'one', wanted one of three, two"]


def test_what_holds_nothing_is_no_repository(tmp_path: Path) -> None:
    assert "holds no settings" in problems(lay(tmp_path, {"README.md": ""}))[0]
    assert "is no folder" in problems(tmp_path / "nosuch")[0]


def test_a_link_out_of_the_repository_is_refused(tmp_path: Path) -> None:
    lay(tmp_path, {"secret": "x", "repo/relay.yaml": "", "repo/real.avsc": "1"})
    (tmp_path / "repo" / "good.avsc").symlink_to("real.avsc")
    assert read_repository(tmp_path / "repo", "one").files["good.avsc"] == b"1"
    for name in ("pivot.yaml", "bad.avsc"):
        (tmp_path / "repo" / name).symlink_to(tmp_path / "secret")
    assert problems(tmp_path / "repo") == [
        f"{tmp_path}/repo/{name}: leads out of the repository, wanted a file in it"
        for name in ("pivot.yaml", "bad.avsc")
    ]


def test_the_host_is_this_machines_short_name() -> None:
    assert host_name() == socket.gethostname().split(".")[0]


def test_git_is_asked_for_commits_and_changes(tmp_path: Path) -> None:
    origin, clone = lay(tmp_path / "origin", {"relay.yaml": ""}), tmp_path / "clone"
    assert commit_of(origin) is None
    for command in (("init",), ("add", "."), ("commit", "-m", "first")):
        git(origin, *command)
    git(tmp_path, "clone", str(origin), str(clone))
    first = commit_of(clone)
    lay(origin, {"relay.yaml": "gro: true\n"})
    git(origin, "commit", "-am", "second")
    pull(clone)
    assert (clone / "relay.yaml").read_text() == "gro: true\n"
    assert commit_of(clone) == commit_of(origin) != first
    lay(clone, {"pivot.yaml": ""})
    assert commit_of(clone) == f"{commit_of(origin)}+"
    with pytest.raises(SpeedDataError, match=r"pull --ff-only: .*[Tt]here is no tracking information"):
        pull(origin)
