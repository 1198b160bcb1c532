from pathlib import Path

import pytest

from speeddata.errors import ConfigError
from speeddata.settings import Override, Settings, load_config, load_settings
from speeddata.settings_layers import read_environment, read_override

SCHEMA = '{"type": "record", "name": "data", "fields": [{"name": "time", "type": "long"}]}'
CHANNEL = f"{{name: x, port: 1, schema: {SCHEMA}}}"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def problems(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(folder)
    return caught.value.problems


def factor(settings: Settings) -> tuple[object, str]:
    return settings.flat["relay"]["decimation.factor"], settings.origin("relay", "decimation.factor")


def test_each_place_goes_before_those_below_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "decimation.factor"
    assert factor(load_settings(tmp_path)) == (None, "default")
    write(tmp_path, relay="decimation:\n  factor: 2\n")
    assert factor(load_settings(tmp_path)) == (2, f"{tmp_path}/relay.yaml:2")
    write(tmp_path, local="relay:\n  decimation:\n    factor: 3\n")
    assert factor(load_settings(tmp_path)) == (3, f"{tmp_path}/local.yaml:3")
    monkeypatch.setenv("SPEEDDATA_RELAY__DECIMATION__FACTOR", "4")
    assert factor(load_settings(tmp_path)) == (4, "SPEEDDATA_RELAY__DECIMATION__FACTOR")
    assert load_config("relay", tmp_path)["decimation"]["factor"] == 4
    option = Override.parse(f"relay.{key}=5")
    assert factor(load_settings(tmp_path, [option])) == (5, f"--set relay.{key}=5")
    assert factor(load_settings(tmp_path, [option, Override(f"relay.{key}", "6", "--short")])) == (
        6,
        "--short",
    )


def test_what_is_for_all_services_goes_before_what_a_lower_place_says_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, pivot="host: 127.0.0.2", local="global: {host: 127.0.0.3}\nrelay: {host: 127.0.0.4}")
    settings = load_settings(tmp_path)
    assert settings.flat["pivot"]["host"] == settings.flat["global"]["host"] == "127.0.0.3"
    assert settings.flat["relay"]["host"] == "127.0.0.4"
    monkeypatch.setenv("SPEEDDATA_GLOBAL__HOST", "127.0.0.5")
    settings = load_settings(tmp_path)
    assert {settings.flat[service]["host"] for service in settings.flat} == {"127.0.0.5"}


def test_what_is_replaced_tells_by_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, relay="decimation: {factor: 2}\nrotation: {mode: time, threshold: 5}")
    settings = load_settings(tmp_path)
    key = "decimation.rate_hz"
    assert settings.flat["relay"][key] is None
    assert settings.origin("relay", key) == f"replaced by decimation.factor ({tmp_path}/relay.yaml:1)"
    monkeypatch.setenv("SPEEDDATA_RELAY__DECIMATION__RATE_HZ", "10")
    monkeypatch.setenv("SPEEDDATA_RELAY__ROTATION__BYTES", "0")
    settings = load_settings(tmp_path, [Override.parse("relay.rotation.mode=size")])
    assert settings.origin("relay", key) == "SPEEDDATA_RELAY__DECIMATION__RATE_HZ"
    assert settings.origin("relay", "decimation.factor").startswith("replaced by decimation.rate_hz (SPEED")
    assert settings.origin("relay", "rotation.threshold") == "replaced by rotation.bytes"
    assert settings.origin("relay", "rotation.bytes").endswith(
        "rotation.mode (--set relay.rotation.mode=size)"
    )
    assert settings.origin("relay", "retention.mode") == "default"


def test_variables_that_exclude_each_other_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPEEDDATA_RELAY__DECIMATION__RATE_HZ", "10")
    monkeypatch.setenv("SPEEDDATA_RELAY__DECIMATION__FACTOR", "5")
    (said,) = problems(tmp_path)
    assert said.startswith("SPEEDDATA_RELAY__DECIMATION__RATE_HZ: decimation.rate_hz is 10, wanted either")


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("RELAY__DECIMATION__FACTOR", "-1", "decimation.factor is -1, wanted an integer from 0"),
        ("RELAY__API__PORT", "", "api.port is '', wanted an integer from 1"),
        ("RELAY__TIME_UNIT", " ", "time_unit is ' ', wanted one of s, ms, us, ns, null"),
        ("PIVOT__API__LIMITS__FOLLOWERS", "2026-13-45", "api.limits.followers is '2026-13-45', wanted an integer"),
        ("GLOBAL__HOST", "here", "host is 'here', wanted an IP address"),
        ("RELAY__CHANNELS", "[{name: x}]", "channels[0].port is None, wanted"),
        ("RELAY__CHANNELS", "x", "channels is 'x', wanted a list"),
        ("RELAY__DECIMATION__FACTR", "1", "did you mean SPEEDDATA_RELAY__DECIMATION__FACTOR?"),
        ("RELAY__DECIMATION", "{factor: 5}", "unknown variable"),
        ("RELAY__DECIMATION__ALGORITHM", "downsample", "decimation.factor is None, wanted an integer, since"),
        ("PIVOT__API__PORT", "8080", "pivot.api.port is 8080, wanted another port than relay.api.port (by default)"),
        ("RELAIS__GRO", "true", "did you mean SPEEDDATA_RELAY__GRO?"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_variable_is_said_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, wanted: str
) -> None:
    monkeypatch.setenv(f"SPEEDDATA_{name}", text)
    said = problems(tmp_path)
    assert all(one.startswith(f"SPEEDDATA_{name}: ") for one in said)
    assert any(wanted in one for one in said)


def test_variables_are_written_as_in_yaml() -> None:
    (layer,) = [
        layer
        for layer in read_environment(
            {
                "SPEEDDATA_RELAY__CPUS": "[0]",
                "speeddata_relay__compression": "null",
                "SPEEDDATA_RELAY__GRO": "true",
                "SPEEDDATA_RELAY__STORAGE__AVRO_PATH": "5",
                "SPEEDDATA_RELAY__CHANNELS": f"[{CHANNEL}]",
                "SPEEDDATA_PIVOT__API__PORT": "nonsense that the relay need not mind",
            },
            ("global", "relay"),
        ).values()
        if layer.values
    ]
    assert layer.problems == []
    assert {key: value for key, value in layer.values.items() if key != "channels"} == {
        "cpus": [0], "compression": None, "gro": True, "storage.avro_path": "5",
    }  # fmt: skip
    assert layer.values["channels"][0]["name"] == "x"
    assert layer.origin["compression"] == "speeddata_relay__compression"


def test_a_date_that_no_calendar_has_is_a_text() -> None:
    layer = read_override(Override.parse("relay.time_unit=2026-13-45"))["relay"]
    assert layer.problems == [
        "--set relay.time_unit=2026-13-45: time_unit is '2026-13-45', wanted one of s, ms, us, ns, null"
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("relay:\n  decimation: {factr: 5}\n", "local.yaml:2: unknown key decimation.factr (value 5), wanted"),
        ("relay: 5\n", "local.yaml:1: relay is 5, wanted a mapping of settings"),
        ("\nrelais: {}\n", "local.yaml:2: unknown key relais (value {}), wanted a known one; did you mean relay?"),
        ("listen: 127.0.0.1\n", "local.yaml:1: unknown key listen (value '127.0.0.1'), wanted one of global,"),
        ("relay: {api: [}\n", "local.yaml:1: cannot be read as YAML"),
        ("relay:\n  channels:\n    - {name: x, port: 0}\n", "local.yaml:3: channels[0].port is 0, wanted"),
        ("relay: {gro: true}\nrelay: {gro: true}\n", "local.yaml:2: relay is given twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_local_file_is_said_by_its_line(
    tmp_path: Path, text: str, wanted: str
) -> None:
    assert any(f"{tmp_path}/{wanted}" in one for one in problems(write(tmp_path, local=text)))


def test_the_local_file_may_be_empty_and_is_not_warned_of(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, local="relay:\npivot: {}\n"))
    assert settings.flat == load_settings().flat
    assert settings.warnings == []
    assert settings.read == [f"{tmp_path}/local.yaml"]


def test_channels_of_a_higher_place_are_the_whole_list(tmp_path: Path) -> None:
    write(tmp_path, relay=f"channels: [{CHANNEL}, {CHANNEL.replace('x', 'y').replace('1', '2')}]")
    assert load_settings(tmp_path).origin("relay", "channels[1].port") == f"{tmp_path}/relay.yaml:1"
    write(tmp_path, local=f"relay:\n  channels:\n  - {CHANNEL.replace('x', 'z')}\n")
    settings = load_settings(tmp_path)
    assert [one["name"] for one in settings.flat["relay"]["channels"]] == ["z"]
    assert settings.origin("relay", "channels[0].port") == f"{tmp_path}/local.yaml:3"
    option = Override.parse("relay.channels=[{name: x, port: 1, schema: nosuch}]")
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path, [option])
    assert all(one.startswith("--set relay.channels=") for one in caught.value.problems)


def test_one_service_does_not_mind_the_others_sections(tmp_path: Path) -> None:
    write(tmp_path, local="relay: {nonsense: 1}\npivot: {api: {port: 9000}}")
    assert load_config("pivot", tmp_path)["api"]["port"] == 9000
