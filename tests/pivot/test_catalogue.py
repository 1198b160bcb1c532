import logging

import history
import pytest

from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.problem import Problem


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "recorded").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "recorded")
    return tmp_path


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_folders_and_registered_channels_are_found(folder):
    with history.registry(["idle"]) as url:
        for spelled in (url, f"{url}/", f"{url}/api/v1"):
            found = Catalogue(folder, spelled).find(["recorded", "idle"])
            assert [archive.folder for archive in found.values()] == [folder / "recorded", folder / "idle"]


@pytest.mark.parametrize(
    "name", ["nosuch", "..", ".", "", "a/b", "../x", "file", "link", "x\0", "%2e%2e", "a" * 300, "ｒecorded"]
)
def test_others_are_not_found(folder, name):
    with history.registry(["idle"]) as url, pytest.raises(Problem) as caught:
        Catalogue(folder, url).find(["recorded", name])
    assert (caught.value.status, caught.value.body) == (404, {"error": "Channel not found", "name": name})


def test_names_of_the_registry_are_checked_too(folder):
    with history.registry(["../x"]) as url, pytest.raises(Problem):
        Catalogue(folder, url).find(["../x"])


def test_archives_of_as_many_channels_as_may_be_are_kept(folder, monkeypatch):
    monkeypatch.setattr("speeddata.pivot.catalogue.MAX_ARCHIVES", 2)
    names = ["a", "b", "c"]
    for name in names:
        (folder / name).mkdir()
    catalogue = Catalogue(folder, None)
    first = catalogue.find(names)
    again = catalogue.find(["c", "b", "a"])
    assert [again[name] is first[name] for name in names] == [False, True, True]


def test_archives_are_kept(folder):
    catalogue = Catalogue(folder, None)
    assert catalogue.find(["recorded"])["recorded"] is catalogue.find(["recorded"])["recorded"]


def test_registry_is_asked_again_after_a_second(folder):
    names, clock = ["one"], Clock()
    with history.registry(names) as url:
        catalogue = Catalogue(folder, url, clock)
        catalogue.find(["one"])
        with pytest.raises(Problem):
            catalogue.find(["two"])
        names.append("two")
        with pytest.raises(Problem):
            catalogue.find(["two"])
        clock.now += 1
        catalogue.find(["two"])
        assert catalogue.names() == ["one", "recorded", "two"]


def test_the_registry_is_asked_for_one_channel_and_only_so_often(folder, monkeypatch):
    asked = []
    with history.registry([f"c{n}" for n in range(5)]) as url:
        catalogue = Catalogue(folder, url, Clock())
        get = catalogue._session.get
        monkeypatch.setattr(
            catalogue._session, "get", lambda url, **more: (asked.append(url), get(url, **more))[1]
        )
        monkeypatch.setattr("speeddata.pivot.catalogue.MAX_ANSWERS", 3)
        for _ in range(3):
            catalogue.find(["c1", "recorded"])
        assert asked == [f"{url}/api/v1/channels/c1/spec"]
        catalogue.find(["c2", "c3", "c4"])
        assert list(catalogue._answers) == ["c2", "c3", "c4"]


def test_without_the_registry_its_last_answer_counts_and_one_line_says_so(folder, caplog):
    clock = Clock()
    with history.registry(["idle"]) as url:
        catalogue = Catalogue(folder, url, clock)
        catalogue.find(["idle"])
    caplog.set_level(logging.INFO)
    for _ in range(3):
        clock.now += 1
        catalogue.find(["idle", "recorded"])
        with pytest.raises(Problem):
            catalogue.find(["nosuch"])
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "going on without it" in caplog.text
