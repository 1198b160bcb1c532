import pytest

from speeddata.pivot.jobs_store import Job, JobStore


@pytest.fixture
def store(tmp_path):
    return JobStore(tmp_path / "exports")


def job(number=1, **more):
    return Job(f"{number:016x}", {"channels": "a"}, **more)


def test_the_folder_is_made_with_the_first(store):
    assert store.load() == []
    assert not store.folder.exists()
    store.save(job())
    assert store.load() == [job()]


def test_all_that_is_known_is_kept(store):
    told = job(state="done", created=1.5, started=2.5, finished=3.5, expires=9.5, total=10, records=10, bytes=100,
               damages=1, media="text/csv", suffix=".csv", error={"error": "x"}, status=500)  # fmt: skip
    store.save(told)
    with store.begin(told) as file:
        file.write(b"x")
    store.finish(told)
    assert store.load() == [told]
    with store.open(told) as file:
        assert file.read() == b"x"
    store.remove(told)
    assert list(store.folder.iterdir()) == []


def test_remains_are_swept(store):
    store.save(job(1, state="done"))
    store.save(job(2, state="running"))
    for number in (1, 2, 3):
        (store.folder / f"{number:016x}.data").write_bytes(b"x")
        (store.folder / f"{number:016x}.part").write_bytes(b"x")
    (store.folder / "other.new").write_bytes(b"x")
    assert [one.state for one in store.load()] == ["done", "running"]
    assert sorted(path.name for path in store.folder.iterdir()) == [
        "0000000000000001.data",
        "0000000000000001.json",
        "0000000000000002.json",
    ]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"id": "0000000000000001", "asked": {}, "state": "lost"}',
                                  '{"id": "0000000000000002", "asked": {}}', "nul"])  # fmt: skip
def test_what_somebody_has_spoiled_is_removed(store, text, caplog):
    store.folder.mkdir()
    path = store.folder / f"{1:016x}.json"
    path.write_text(text)
    assert store.load() == []
    assert not path.exists()
    assert "cannot be read" in caplog.text


def test_what_a_newer_version_tells_beside_is_left_out(store):
    store.save(job())
    path = store.folder / f"{1:016x}.json"
    path.write_text(path.read_text().replace("{", '{"more": 1, ', 1))
    assert store.load() == [job()]
