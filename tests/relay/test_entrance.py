"""Whom a run lets in."""

import os
from pathlib import Path

import pytest

from speeddata.access import Access
from speeddata.credentials import VARIABLE
from speeddata.errors import ConfigError
from speeddata.relay.data_folder import DataFolder
from speeddata.relay.entrance import Entrance
from speeddata.settings import Override, Settings, load_settings
from speeddata.tokens import TokenFile

ALL = ("relay", "stripchart", "pivot")


def settings(**given: str) -> Settings:
    return load_settings(None, [Override(key.replace("__", "."), text) for key, text in given.items()])


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path)
    folder.make()
    return folder


def test_on_this_machine_nobody_is_asked(data: DataFolder) -> None:
    TokenFile(data.tokens).add("ann", "read")
    entrance = Entrance.of(settings(relay__listen="0.0.0.0"), ALL, data)
    assert entrance == Entrance()
    entrance.open(ALL)
    assert not data.own_token.exists()
    assert not entrance.access.required
    assert entrance.argv == []


def test_fault_87_beyond_it_a_token_is_needed(data: DataFolder) -> None:
    wide = settings(pivot__host="0.0.0.0")
    with pytest.raises(
        ConfigError, match=r"pivot\.host 0\.0\.0\.0: others can reach this, wanted.*token create"
    ):
        Entrance.of(wide, ALL, data)
    assert Entrance.of(wide, ["relay"], data) == Entrance()
    TokenFile(data.tokens).add("ann", "read")
    assert Entrance.of(wide, ALL, data).access.required
    data.tokens.chmod(0o644)
    with pytest.raises(ConfigError, match="0600"):
        Entrance.of(wide, ALL, data)


def test_a_token_may_be_asked_for_on_this_machine_too(
    data: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    entrance = Entrance.of(settings(global__access__required="true"), ALL, data)
    entrance.open(ALL)
    assert data.own_token.stat().st_mode & 0o777 == 0o600
    own = data.own_token.read_text().strip()
    assert len(own) >= 43
    gate = Access(data.tokens, data.own_token)
    grant = gate.who(f"Bearer {own}", None)
    assert grant is not None
    assert grant.role == "admin"
    assert os.environ[VARIABLE] == str(data.own_token)
    assert entrance.argv == ["--tokens", str(data.tokens), "--own-token", str(data.own_token)]
    # Each start has another.
    entrance.open(ALL)
    assert gate.who(f"Bearer {own}", None) is None


def test_what_asks_a_registry_elsewhere_keeps_its_token(
    data: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "/theirs")
    Entrance.of(settings(global__access__required="true"), ["pivot"], data).open(["pivot"])
    assert os.environ[VARIABLE] == "/theirs"
