"""What of a registered channel can be changed, and by which values."""

from typing import Any

import pytest

from speeddata.registry.changes import changed_config, read_changes
from speeddata.registry.problems import ApiProblem


@pytest.mark.parametrize("value", [10, {"rate_hz": 20}, None])
def test_decimation_can_be_changed(value: Any) -> None:
    assert read_changes({"decimation": value}) == {"decimation": value}


@pytest.mark.parametrize(
    ("body", "error", "field"),
    [
        ({"port": 26001}, "Unknown field", "port"),
        ({"decimation": 5, "rotation": {}}, "Unknown field", "rotation"),
        ({"decimation": "5"}, "Invalid decimation", "decimation"),
        ({"decimation": True}, "Invalid decimation", "decimation"),
        ({"decimation": 1.5}, "Invalid decimation", "decimation"),
    ],
)
def test_anything_else_is_refused_by_name(body: Any, error: str, field: str) -> None:
    with pytest.raises(ApiProblem) as caught:
        read_changes(body)
    assert (caught.value.status, caught.value.body["error"], caught.value.body["field"]) == (
        400,
        error,
        field,
    )


def test_other_settings_stay() -> None:
    config = {"live": False, "decimation": 5}
    assert changed_config(config, {"decimation": {"rate_hz": 20}}) == {
        "live": False,
        "decimation": {"rate_hz": 20},
    }
    assert changed_config(config, {"decimation": None}) == {"live": False}
    assert changed_config({"decimation": 5}, {"decimation": None}) is None
    assert changed_config(None, {"decimation": 5}) == {"decimation": 5}


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"factor": -1}, "decimation.factor"),
        ({"rate": 20}, "decimation.rate"),
        ({"algorithm": "mean"}, "decimation.algorithm"),
    ],
)
def test_a_wrong_setting_is_named(value: Any, field: str) -> None:
    with pytest.raises(ApiProblem) as caught:
        changed_config(None, {"decimation": value})
    assert (caught.value.body["error"], caught.value.body["field"]) == ("Invalid decimation", field)
