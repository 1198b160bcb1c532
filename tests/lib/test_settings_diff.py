from pathlib import Path

from speeddata.settings import Override, Settings, load_settings
from speeddata.settings_diff import ABSENT, Difference, channels, differences, of_all
from speeddata.settings_table import FILES, rows

SCHEMA = {"type": "record", "name": "data", "fields": [{"name": "time", "type": "long"}]}


def channel(name: str, port: int, more: str = "") -> str:
    return f"- {{name: {name}, port: {port}, schema: {SCHEMA}{more}}}\n"


def settings(folder: Path, relay: str, *sets: str) -> Settings:
    (folder / "relay.yaml").write_text(relay)
    return load_settings(folder, [Override.parse(text) for text in sets])


def told(found: list[Difference]) -> dict[str, tuple[object, object]]:
    assert len({one.path for one in found}) == len(found)
    return {one.path: (one.before, one.after) for one in found}


def test_equal_settings_do_not_differ(tmp_path: Path) -> None:
    text = "channels:\n" + channel("a", 1, ", decimation: 5") + channel("b", 2)
    other = "channels:\n" + channel("b", 2) + channel("a", 1, ", decimation: {factor: 5}")
    assert differences(settings(tmp_path, text), settings(tmp_path, other)) == []
    assert differences(load_settings(), load_settings()) == []


def test_every_key_that_differs_is_told_with_where_it_comes_from(tmp_path: Path) -> None:
    before = settings(tmp_path, "gro: true\n")
    found = differences(before, settings(tmp_path, "\ndecimation: {factor: 1}\n", "pivot.api.port=9000"))
    assert [(one.service, one.key, one.before, one.after, one.origin) for one in found] == [
        ("relay", "decimation.factor", None, 1, f"{tmp_path}/relay.yaml:2"),
        (
            "relay",
            "decimation.rate_hz",
            50.0,
            None,
            f"replaced by decimation.factor ({tmp_path}/relay.yaml:2)",
        ),
        ("relay", "gro", True, False, "default"),
        ("pivot", "api.port", 8000, 9000, "--set pivot.api.port=9000"),
    ]


def test_each_key_can_differ() -> None:
    flat = load_settings().flat
    for service in FILES:
        for key in rows(service):
            if key != "channels":
                after = Settings(Path(), {**flat, service: {**flat[service], key: "another"}})
                assert told(differences(Settings(Path(), flat), after)) == {
                    f"{service}.{key}": (flat[service][key], "another")
                }


def test_what_is_said_for_all_is_told_for_each_and_once_of_all(tmp_path: Path) -> None:
    before = settings(tmp_path, "")
    found = differences(before, settings(tmp_path, "host: 127.0.0.3", "global.host=127.0.0.2"))
    assert [one.path for one in found] == ["global.host", "relay.host", "stripchart.host", "pivot.host"]
    assert [one.path for one in of_all(found)] == ["global.host"]
    found = differences(before, settings(tmp_path, "", "global.host=127.0.0.2", "relay.host=127.0.0.3"))
    assert [one.path for one in of_all(found)] == ["global.host", "relay.host"]


def test_channels_are_compared_by_name(tmp_path: Path) -> None:
    before = settings(
        tmp_path, "channels:\n" + channel("a", 1, ", compression: null") + channel("b", 2) + channel("c", 3)
    )
    text = "channels:\n" + channel("d", 4) + channel("c", 5, ", decimation: 7") + channel("a", 1)
    after = settings(tmp_path, text)
    found = differences(before, after)
    assert told(found) == {
        "relay.channels[a].compression": (None, ABSENT),
        "relay.channels[b]": ({"name": "b", "port": 2, "schema": SCHEMA}, ABSENT),
        "relay.channels[c].port": (3, 5),
        "relay.channels[c].decimation.factor": (ABSENT, 7),
        "relay.channels[d]": (ABSENT, {"name": "d", "port": 4, "schema": SCHEMA}),
    }
    assert {one.path: one.origin.removeprefix(f"{tmp_path}/relay.yaml:") for one in found} == {
        "relay.channels[a].compression": "4",
        "relay.channels[b]": "1",
        "relay.channels[c].port": "3",
        "relay.channels[c].decimation.factor": "3",
        "relay.channels[d]": "2",
    }
    assert channels(after)["c"][0] == 1


def test_a_flag_is_no_number() -> None:
    one, other = (Settings(Path(), {"relay": {"gro": value}}) for value in (True, 1))
    assert told(differences(one, other)) == {"relay.gro": (True, 1)}
