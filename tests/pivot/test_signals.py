import pytest
import rolled
import segments as made

from speeddata.pivot import signals as module
from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.problem import Problem
from speeddata.pivot.query import Engine
from speeddata.pivot.signals import SignalList

S = 10**9


@pytest.fixture
def listed(tmp_path):
    for name in ("a.one", "a.two", "b"):
        rolled.segment(tmp_path / name, 0, rolled.steady_rows(10), parts=1)
    (tmp_path / "none").mkdir()
    return SignalList(Engine(Catalogue(tmp_path, None)))


def page(listed, **params):
    told = listed.page(params, lambda: None)
    return [(one["channel"], one["signal"]) for one in told["signals"]], told["cursor"]


def test_what_is_told_of_a_signal(listed):
    told = listed.page({"channels": "b"}, lambda: None)["signals"]
    assert told[0] == {
        "channel": "b", "signal": "real", "type": "double", "unit": "V", "first_time": "2023-11-14T22:13:20Z",
        "last_time": "2023-11-14T22:13:29Z", "count": 10, "value": 2.25,
    }  # fmt: skip
    assert [one["value"] for one in told[1:]] == [9, False]


def test_fault_68_pages_by_channel_and_prefix(listed):
    names = ("real", "whole", "flag")
    everything = [(channel, name) for channel in ("a.one", "a.two", "b") for name in names]
    assert page(listed) == (everything, None)
    assert page(listed, prefix="a.") == (everything[:6], None)
    assert page(listed, limit="4") == (everything[:6], "a.two")
    assert page(listed, limit="4", cursor="a.two") == (everything[6:], None)
    assert page(listed, limit="6", prefix="a.") == (everything[:6], None)
    assert page(listed, channels="b,a.one") == (everything[:3] + everything[6:], None)
    assert page(listed, channel="none") == ([], None)


@pytest.mark.parametrize(
    ("params", "status"), [({"channels": "nosuch"}, 404), ({"limit": "0"}, 400), ({"limit": "x"}, 400)]
)
def test_what_is_wrong(listed, params, status):
    with pytest.raises(Problem) as caught:
        listed.page(params, lambda: None)
    assert caught.value.status == status


def test_new_records_are_seen_at_once_and_nothing_else_is_read(listed, tmp_path, monkeypatch):
    read = []
    newest = module._newest
    monkeypatch.setattr(module, "_newest", lambda *args: (read.append(1), newest(*args))[1])
    for _ in range(2):
        assert page(listed)[0]
    assert len(read) == 3
    rolled.segment(tmp_path / "b", 0, rolled.steady_rows(11), parts=1)
    told = listed.page({"channels": "b"}, lambda: None)["signals"][0]
    assert (told["count"], told["value"], len(read)) == (11, 2.5, 4)


def test_a_record_that_comes_while_the_list_is_made_is_not_missed(listed, tmp_path, monkeypatch):
    real = module._stamp

    def stamp(*args):
        monkeypatch.setattr(module, "_stamp", real)
        rolled.segment(tmp_path / "b", 0, rolled.steady_rows(11), parts=1)
        return real(*args)

    monkeypatch.setattr(module, "_stamp", stamp)
    for _ in range(2):
        told = listed.page({"channels": "b"}, lambda: None)["signals"][0]
    assert (told["count"], told["value"]) == (11, 2.5)


def test_null_and_what_json_has_no_form_for(tmp_path):
    rows = [{"time": made.START, "real": None, "whole": None, "flag": True}]
    rolled.segment(tmp_path / "c", 0, rows)
    told = SignalList(Engine(Catalogue(tmp_path, None))).page({}, lambda: None)["signals"]
    assert told[0]["value"] != told[0]["value"]
    assert told[1]["value"] is None


def test_memory_is_bounded(listed, monkeypatch):
    monkeypatch.setattr(module, "KEPT", 1)
    page(listed)
    assert list(listed._told) == ["none"]
