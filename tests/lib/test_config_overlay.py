from pathlib import Path

import pytest
import yaml

from speeddata.config_overlay import Merged, merge, written
from speeddata.settings_yaml import read_yaml

PORT = "{name: a, port: 1, schema: a.avsc, decimation: 4}"


def merged(folder: Path, base: str, over: str, name: str = "relay") -> Merged:
    for file, text in (("base", base), ("over", over)):
        (folder / f"{file}.yaml").write_text(text)
    return merge(name, read_yaml(folder / "base.yaml"), read_yaml(folder / "over.yaml"))


@pytest.mark.parametrize(
    ("base", "over", "together"),
    [
        ("", "", {}),
        ("gro: true", "", {"gro": True}),
        ("api: {port: 1, names: [a, b]}", "api: {names: [c]}", {"api": {"port": 1, "names": ["c"]}}),
        ("gro: true", "gro: false", {"gro": False}),
        ("host: 127.0.0.1", "multicast: {ttl: 1}", {"host": "127.0.0.1", "multicast": {"ttl": 1}}),
        ("compression: deflate", "compression: null", {"compression": None}),
        ("decimation: {rate_hz: 5}", "decimation: {factor: 2}", {"decimation": {"factor": 2}}),
        (
            "decimation: {factor: 2, enabled: true}",
            "decimation: {rate_hz: 5}",
            {"decimation": {"enabled": True, "rate_hz": 5}},
        ),
        ("decimation: {rate_hz: 5}", "decimation: {factor: null}", {"decimation": {"rate_hz": 5, "factor": None}}),
        ("rotation: {mode: time, threshold: 5}", "rotation: {bytes: 0}", {"rotation": {"bytes": 0}}),
        ("decimation: null", "decimation: {factor: 2}", {"decimation": {"factor": 2}}),
        ("channels: []", "gro: true", {"gro": True, "channels": []}),
    ],
)  # fmt: skip
def test_an_overlay_counts_key_by_key(
    tmp_path: Path, base: str, over: str, together: dict[str, object]
) -> None:
    assert merged(tmp_path, base, over).values == together


@pytest.mark.parametrize(
    ("base", "over", "together"),
    [
        (f"[{PORT}]", "[]", [{"name": "a", "port": 1, "schema": "a.avsc", "decimation": {"factor": 4}}]),
        ("[]", "[{name: a, port: 1}]", [{"name": "a", "port": 1}]),
        ("[{name: a, port: 1}, {name: b}]", "[{name: b, port: 2}, {name: a, port: 3}, {name: c}]",
         [{"name": "a", "port": 3}, {"name": "b", "port": 2}, {"name": "c"}]),
        (f"[{PORT}]", "[{name: a, decimation: {rate_hz: 5}}]",
         [{"name": "a", "port": 1, "schema": "a.avsc", "decimation": {"rate_hz": 5}}]),
        ("[{name: a, decimation: {rate_hz: 5}}]", "[{name: a, decimation: 2}]",
         [{"name": "a", "decimation": {"factor": 2}}]),
        ("[{name: a, schema: {type: record, name: x}}]", "[{name: a, schema: {type: enum}}]",
         [{"name": "a", "schema": {"type": "enum"}}]),
    ],
)  # fmt: skip
def test_channels_are_merged_by_name(tmp_path: Path, base: str, over: str, together: list[object]) -> None:
    assert merged(tmp_path, f"channels: {base}", f"channels: {over}").values["channels"] == together


def test_each_key_keeps_its_place(tmp_path: Path) -> None:
    base = "channels:\n- {name: a, port: 1}\n- name: b\n  port: 2\ngro: true\nbusy_poll: true\n"
    document = merged(tmp_path, base, "busy_poll: false\nchannels:\n- {name: c}\n- name: b\n  port: 3\n")
    place = {key: document.place(key).removeprefix(f"{tmp_path}/") for key in (
        "gro", "busy_poll", "channels", "channels[0].port", "channels[1].name", "channels[1].port", "channels[1].schema",
        "channels[2].name", "nosuch",
    )}  # fmt: skip
    assert place == {
        "gro": "base.yaml:5",
        "busy_poll": "over.yaml:1",
        "channels": "over.yaml:2",
        "channels[0].port": "base.yaml:2",
        "channels[1].name": "over.yaml:4",
        "channels[1].port": "over.yaml:5",
        "channels[1].schema": "over.yaml:4",
        "channels[2].name": "over.yaml:3",
        "nosuch": "over.yaml",
    }


def test_what_is_written_reads_as_what_was_merged(tmp_path: Path) -> None:
    document = merged(tmp_path, "api: {names: [a]}\ntime_unit: s", f"channels: [{PORT}]\nstorage: {{avro_path: 'é: 5'}}")  # fmt: skip
    text = written(document, "Made from two.")
    assert text.startswith(b"# Made from two.\n")
    assert yaml.safe_load(text) == document.values
