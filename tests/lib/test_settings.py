import re
from pathlib import Path

import pytest

from speeddata.errors import ConfigError
from speeddata.settings import Override, find_folder, load_config, load_settings

# What SpeedData 0.6 shipped, by the facts that are known of it.
V06 = {
    "global": "multicast:\n  full_rate: {address: 239.1.1.1, port: 6000}\n  decimated: {address: 239.1.1.2, port: 6001}\nstorage:\n  avro_path: ./data\n",
    "relay": "channels:\n  - name: example\n    port: 26000\n    schema: config/agents/example.avsc\n"
    "decimation: {enabled: true, factor: 5, algorithm: downsample}\n"
    "rotation: {mode: time, threshold: 3600}\nretention: {mode: ttl, value: 86400}\n",
    "stripchart": "websocket: {port: 8081}\ndecimation: {pass_through: true}\n",
    "pivot": "api:\n  port: 8000\n  limits: {max_channels: 20, max_duration_minutes: 5, timeout_seconds: 60}\n",
}
SCHEMA = '{"type": "record", "name": "data", "fields": [{"name": "time", "type": "long"}]}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "example.avsc").write_text(SCHEMA)
    return tmp_path


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def problems(folder: Path, *sets: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(folder, [Override.parse(text) for text in sets])
    return caught.value.problems


def test_the_packaged_defaults_hold_no_channel_and_bind_to_loopback() -> None:
    settings = load_settings()
    assert settings.flat["relay"]["channels"] == []
    assert {settings.flat[service]["host"] for service in ("relay", "stripchart", "pivot")} == {"127.0.0.1"}
    assert settings.flat["relay"]["decimation.rate_hz"] == 50
    assert (settings.folder / "agents" / "example.avsc").is_file()
    assert settings.warnings == []


def test_the_packaged_files_say_what_the_table_says(tmp_path: Path) -> None:
    assert load_settings().flat == load_settings(tmp_path).flat


def test_files_of_v06_are_read_with_their_meaning_and_three_warnings(folder: Path) -> None:
    settings = load_settings(write(folder, **V06))
    relay = settings.nested("relay")
    assert relay["multicast"]["decimated"] == {"address": "239.1.1.2", "port": 6001}
    assert relay["decimation"] == {"enabled": True, "factor": 5, "algorithm": "downsample", "rate_hz": None}
    assert relay["rotation"] == {"mode": "time", "threshold": 3600, "bytes": None, "seconds": None}
    assert relay["channels"] == [{"name": "example", "port": 26000, "schema": "config/agents/example.avsc"}]
    assert [re.sub(r".*/", "", text) for text in settings.warnings] == [
        "global.yaml:2: multicast.full_rate.address is '239.1.1.1': one multicast group shared by all channels, "
        "subscribers must tell them apart by the relay's source port",
        "global.yaml:3: multicast.decimated.address is '239.1.1.2': one multicast group shared by all channels, "
        "subscribers must tell them apart by the relay's source port",
        "relay.yaml:7: retention.mode is 'ttl': what exceeds retention.value is deleted "
        "(SpeedData 0.6 read this and deleted nothing)",
    ]


def test_load_config_gives_plain_nested_dicts_as_v06_did(folder: Path) -> None:
    write(folder, **V06)
    assert load_config("relay", folder)["channels"][0]["name"] == "example"
    assert load_config("pivot", folder)["api"]["limits"]["max_channels"] == 20
    assert load_config("pivot", str(folder))["storage"]["avro_path"] == "./data"
    assert load_config("global", folder)["multicast"]["full_rate"]["port"] == 6000
    with pytest.raises(ConfigError, match="wanted one of global, relay, stripchart, pivot"):
        load_config("relais", folder)


def test_load_config_of_one_service_does_not_mind_errors_of_another(folder: Path) -> None:
    write(folder, relay="nonsense: 1", pivot="api: {port: 9000}")
    assert load_config("pivot", folder)["api"]["port"] == 9000


def test_the_folder_is_discovered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SPEEDDATA_CONFIG_DIR", raising=False)
    assert find_folder().name == "config"
    assert (find_folder() / "agents").is_dir()  # the packaged one
    (tmp_path / "config").mkdir()
    assert find_folder() != Path("config")  # any folder may be called so
    write(tmp_path / "config", pivot="api: {port: 9000}")
    assert find_folder() == Path("config")
    assert load_config("pivot")["api"]["port"] == 9000
    monkeypatch.setenv("SPEEDDATA_CONFIG_DIR", "/elsewhere")
    assert find_folder() == Path("/elsewhere")
    assert find_folder("/given") == Path("/given")


def test_every_error_of_every_file_is_said_at_once(folder: Path) -> None:
    write(
        folder,
        **{"global": "host: [1\n"},
        relay="channels:\n  - {name: a b, port: 99999, schema: ''}\n  - {port: 1, schema: x.avsc}\n  - 7\n"
        "decimation: {factr: 5}\napi:\n  port: many\n",
        stripchart="websocket: 8081\n",
        pivot="api: {limits: {max_channels: 0}}\n",
    )
    said = problems(folder, "relay.time_unit=hours", "relay.decimation=[1]")
    wanted = [
        r"global.yaml:2: cannot be read as YAML",
        r"relay.yaml:2: channels\[0\].name is 'a b', wanted 1 to 64 letters",
        r"relay.yaml:2: channels\[0\].port is 99999, wanted an integer from 1 to 65535",
        r"relay.yaml:2: channels\[0\].schema is '', wanted a file below",
        r"relay.yaml:3: channels\[1\].name is None, wanted letters",
        r"relay.yaml:3: channels\[1\].schema is 'x.avsc', wanted an Avro schema below .* \(no such file\)",
        r"relay.yaml:4: channels\[2\] is 7, wanted a channel",
        r"relay.yaml:5: unknown key decimation.factr \(value 5\), wanted .*mean decimation.factor\?",
        r"relay.yaml:7: api.port is 'many', wanted an integer from 1 to 65535",
        r"stripchart.yaml:1: websocket is 8081, wanted a mapping",
        r"pivot.yaml:1: api.limits.max_channels is 0, wanted an integer from 1",
        r"--set relay.time_unit=hours: time_unit is 'hours', wanted one of s, ms, us, ns, null",
        r"--set relay.decimation=\[1\]: decimation is \[1\], wanted a mapping",
    ]
    for pattern in wanted:
        assert [text for text in said if re.search(pattern, text)], pattern
    assert len(said) == len(wanted)


@pytest.mark.parametrize(
    ("relay", "pattern"),
    [
        ("decimation: {factor: 5, rate_hz: 10}", "either decimation.rate_hz or decimation.factor, not both"),
        ("rotation: {mode: time, seconds: 10}", "not both"),
        ("rotation: {threshold: 10}", "rotation.mode is None, wanted time or size"),
        ("decimation: {algorithm: downsample}", "decimation.factor is None, wanted an integer, since"),
        ("decimation: {algorithm: downsample, rate_hz: 5}", "decimation.factor is None, wanted an integer"),
        ("decimation: {rate_hz: null}", "wanted a rate, or decimation.factor"),
        ("decimation: {algorithm: median}", "one of downsample, average, minmax, min-max, rms"),
        ("cpus: [0, -1]", "a list of core numbers such as [2, 3]"),
        ("cpus: 2", "a list of core numbers such as [2, 3]"),
        ("cpus: []", "a list of core numbers such as [2, 3]"),
        ("cpus: [4095]", "cores that can be had, which are ["),
        ("durability: disk", "one of block, interval, none"),
        ("gro: yes please", "true or false"),
        ("decimation: {enabled: 1}", "true or false"),
        ("decimation: {factor: -1}", "integer from 0"),
        ("decimation: {factor: 2.5}", "integer from 0"),
        ("decimation: {factor: true}", "integer from 0"),
        ("block_age_s: .nan", "number from 0.01"),
        ("listen: 239.1.1.1", "not a multicast group"),
        ("host: example.org", "an IP address"),
        ("multicast: {interface: 7}", "an IPv4 address"),
        ("multicast: {full_rate: {address: 10.0.0.1}}", "an IPv4 multicast group"),
        ("api: {names: x}", "a list of host names"),
        ("channels: {}", "a list of channels"),
        ("api: {port: 1}\napi: {port: 2}", "api is given twice"),
        ("!!python/object/apply:os.getcwd []", "cannot be read as YAML"),
        ("- 1", "holds list, wanted a mapping"),
        ("storage: {avro_path: 5}", "wanted a text"),
        ("api: {port: 8081}", "another port than relay.api.port"),
    ],
)
def test_what_is_wrong_is_said_with_what_is_wanted(folder: Path, relay: str, pattern: str) -> None:
    said = problems(write(folder, relay=relay))
    assert any(pattern in text for text in said)
    assert all("relay.yaml" in text or "websocket.port" in text for text in said)


@pytest.mark.parametrize(
    ("item", "pattern"),
    [
        ("{name: ..x, port: 1, schema: agents/example.avsc}", "a letter or digit first"),
        ("{name: a..b, port: 1, schema: agents/example.avsc}", "no '..'"),
        ("{name: x, port: 1, schema: ../x.avsc}", "no such file"),
        ("{name: x, port: 1, schema: {type: record, name: r, fields: []}}", "time"),
        (
            "{name: x, port: 1, schema: agents/example.avsc, decimation: {algorithm: fft}}",
            "one of downsample",
        ),
        (
            "{name: x, port: 1, schema: agents/example.avsc, decimation: {algorithm: downsample}}",
            "relay.yaml:1: channels[0].decimation.factor is None, wanted an integer",
        ),
        (
            "{name: x, port: 1, schema: agents/example.avsc, rotation: {threshold: 5}}",
            "relay.yaml:1: channels[0].rotation.mode is None, wanted time or size",
        ),
        (
            "{name: x, port: 1, schema: agents/example.avsc, listen: 0.0.0.0}",
            "unknown key channels[0].listen",
        ),
    ],
)
def test_channels_are_checked_before_anything_starts(folder: Path, item: str, pattern: str) -> None:
    assert any(pattern in text for text in problems(write(folder, relay=f"channels: [{item}]")))


def test_downsampling_without_a_factor_is_refused_from_options_too(folder: Path) -> None:
    option = "relay.decimation.algorithm=downsample"
    (said,) = problems(folder, option)
    assert said.startswith(f"--set {option}: decimation.factor is None, wanted an integer")
    item = "{name: x, port: 1, schema: agents/example.avsc, decimation: 5}"
    write(folder, relay=f"channels: [{item}]\ndecimation: {{factor: 2}}")
    assert load_settings(folder, [Override.parse(option)]).flat["relay"]["decimation.factor"] == 2


def test_two_channels_with_one_name_or_port_are_refused(folder: Path) -> None:
    item = "{name: x, port: 1, schema: agents/example.avsc}"
    said = problems(write(folder, relay=f"channels: [{item}, {item}]"))
    assert [re.sub(r".*yaml:1: ", "", text) for text in said] == [
        "channels[1].name is 'x', wanted one that channels[0] has not",
        "channels[1].port is 1, wanted one that channels[0] has not",
    ]


def test_set_wins_over_files_over_defaults(folder: Path) -> None:
    write(folder, **{"global": "host: 127.0.0.2"}, pivot="host: 127.0.0.3", relay="decimation: {rate_hz: 10}")
    settings = load_settings(
        folder, [Override.parse("relay.decimation.factor=7"), Override.parse("pivot.api.port=9000")]
    )
    hosts = {service: settings.flat[service]["host"] for service in ("relay", "stripchart", "pivot")}
    assert hosts == {"relay": "127.0.0.2", "stripchart": "127.0.0.2", "pivot": "127.0.0.3"}
    assert settings.flat["relay"]["decimation.factor"] == 7
    assert settings.flat["relay"]["decimation.rate_hz"] is None
    assert settings.flat["pivot"]["api.port"] == 9000
    assert (
        load_settings(folder, [Override.parse("global.host=127.0.0.9")]).flat["pivot"]["host"] == "127.0.0.9"
    )


@pytest.mark.parametrize("argument", ["relay", "=5", ""])
def test_a_set_without_path_or_value_is_refused(argument: str) -> None:
    with pytest.raises(ConfigError, match="wanted FILE.PATH=VALUE"):
        Override.parse(argument)


@pytest.mark.parametrize(
    "argument", ["nosuch.key=1", "relay=1", "relay.=1", "relay.api=1", "relay.nosuch=1", "relay.api.port={"]
)
def test_a_set_of_nothing_known_is_refused(folder: Path, argument: str) -> None:
    assert any("wanted" in text and argument in text for text in problems(folder, argument))


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    assert problems(tmp_path / "nosuch") == [
        f"{tmp_path / 'nosuch'}: is no folder, wanted one with global.yaml, relay.yaml, stripchart.yaml, pivot.yaml"
    ]


def test_a_file_that_nothing_reads_and_notable_values_are_warned_of(folder: Path) -> None:
    write(
        folder,
        relays="a: 1",
        **{"global": "multicast: {ttl: 2}"},
        stripchart="decimation: {pass_through: false}",
    )
    said = "\n".join(load_settings(folder).warnings)
    assert "relays.yaml: is not read" in said
    assert "multicast.ttl is 2: multicast leaves this network segment" in said
    assert "pass_through is False: has no effect" in said


def test_aliases_in_a_file_cost_nothing(folder: Path) -> None:
    laughs = "a: &a [x]\n" + "".join(
        f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefghi", "bcdefghij", strict=True)
    )
    assert len(problems(write(folder, relay=laughs))) == 10


def test_a_huge_file_is_not_read(folder: Path) -> None:
    assert "larger than" in problems(write(folder, relay="#" * (5 << 20)))[0]
