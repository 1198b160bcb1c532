"""Channels of relay.yaml that are registered already, and say other things there."""

from typing import Any

import pytest

from speeddata.registry.baseline import differing, requested
from speeddata.registry.channels import Registry

ITEM = {"name": "x", "port": 26000, "schema": "agents/example.avsc", "decimation": {"factor": 5}}


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({}, []),
        ({"decimation": 5}, []),
        ({"decimation": {"factor": 6}, "port": 26009}, ["decimation.factor", "port"]),
        ({"decimation": None, "rotation": {"seconds": 60}}, ["decimation.factor", "rotation.seconds"]),
        ({"schema": "agents/telemetry.avsc"}, ["schema"]),
        ({"schema": "agents/gone.avsc"}, ["schema"]),
    ],
)
def test_what_differs_is_named(registry: Registry, changes: dict[str, Any], keys: list[str]) -> None:
    registry.add_baseline([ITEM])
    item = {key: value for key, value in {**ITEM, **changes}.items() if value is not None}
    (registry.folder / "agents/telemetry.avsc").write_text(
        '{"type": "record", "name": "r", "fields": [{"name": "time", "type": "long"}]}'
    )
    assert differing(requested(item), registry.find("x"), registry.folder) == keys


def test_it_is_said_once_until_it_is_something_else(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    for factor in (5, 6, 6, 7, 5, 6):
        registry.add_baseline([ITEM | {"decimation": {"factor": factor}, "port": 26000 + (factor == 7)}])
    said = [record.message for record in caplog.records if record.levelname == "WARNING"]
    start = "channel x goes by what is registered; relay.yaml says otherwise of "
    assert [words.removeprefix(start).partition(" (")[0] for words in said] == [
        "decimation.factor",
        "decimation.factor, port",
        "decimation.factor",
    ]
    assert registry.find("x").config == {"decimation": {"factor": 5}}
