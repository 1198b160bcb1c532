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


def test_archives_are_kept(folder):
    catalogue = Catalogue(folder, None)
    assert catalogue.find(["recorded"])["recorded"] is catalogue.find(["recorded"])["recorded"]


def test_registry_is_asked_again_after_a_second(folder):
    names, clock = ["one"], Clock()
    with history.registry(names) as url:
        catalogue = Catalogue(folder, url, clock)
        catalogue.find(["one"])
        names.append("two")
        with pytest.raises(Problem):
            catalogue.find(["two"])
        clock.now += 1
        catalogue.find(["two"])


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
