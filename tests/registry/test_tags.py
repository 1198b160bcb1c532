import logging
import sqlite3

import pytest

from speeddata.registry.store import Store, StoreError
from speeddata.registry.tags import Tag, Tags

RUN = Tag("run", -(2**63), 2**63 - 1, ("x", "y"), "a note: ü")


def test_what_is_added_is_there_after_a_restart(store: Store) -> None:
    tags = Tags(store)
    added = [tags.add(RUN), tags.add(Tag("all", 5, 5))]
    assert [tag.id for tag in added] == [1, 2]
    again = Tags(store)
    assert again.list() == tags.list() == added
    assert (added[0].name, added[0].start_ns, added[0].end_ns) == ("run", -(2**63), 2**63 - 1)
    assert (added[0].channels, added[0].note, added[1].channels) == (("x", "y"), "a note: ü", None)
    assert again.get(2) == added[1]
    assert again.get(3) is None


def test_names_need_not_be_unique_and_ids_are_never_given_twice(store: Store) -> None:
    tags = Tags(store)
    assert [tags.add(RUN).id, tags.add(RUN).id] == [1, 2]
    assert tags.delete(2)
    assert not tags.delete(2)
    assert tags.add(RUN).id == 3
    assert [tag.id for tag in Tags(store).list()] == [1, 3]


def test_a_tag_is_changed_under_its_id(store: Store) -> None:
    tags = Tags(store)
    tag, other = tags.add(RUN), tags.add(RUN)
    changed = tags.change(tag.id, Tag("new", 3, 9, None, "note"))
    assert changed == Tag("new", 3, 9, None, "note", tag.id, tag.created_at)
    assert tags.list() == Tags(store).list() == [changed, other]
    assert tags.ranges("z") == [(3, 9)]
    assert tags.change(7, RUN) is None


def test_each_change_is_counted(store: Store) -> None:
    tags = Tags(store)
    versions = [tags.version]
    tag = tags.add(RUN)
    versions.append(tags.version)
    tags.change(tag.id, RUN)
    versions.append(tags.version)
    tags.delete(tag.id)
    assert versions + [tags.version] == [0, 1, 2, 3]


def test_tags_are_found_by_channel_and_by_name(store: Store) -> None:
    tags = Tags(store)
    run, other, all_of = tags.add(RUN), tags.add(Tag("b", 7, 8, ("y",))), tags.add(Tag("b", 1, 2))
    assert tags.list("x") == [run, all_of]
    assert tags.list("y") == [run, other, all_of]
    assert tags.list("z") == [all_of]
    assert tags.list(name="b") == [other, all_of]
    assert tags.list("z", "run") == []
    assert tags.ranges("y") == [(-(2**63), 2**63 - 1), (7, 8), (1, 2)]


def test_a_tag_as_the_api_shows_it() -> None:
    tag = Tag("run", 1_700_000_000_000_000_001, 1_700_000_001_000_000_000, ("x",), "n", 3, "now")
    assert tag.to_json() == {
        "id": 3,
        "name": "run",
        "start": "2023-11-14T22:13:20.000000001Z",
        "end": "2023-11-14T22:13:21Z",
        "channels": ["x"],
        "note": "n",
        "created_at": "now",
    }


def test_what_the_database_refuses_is_not_there(store: Store) -> None:
    tags = Tags(store)
    with pytest.raises(StoreError):
        tags.add(Tag("backwards", 5, 4))
    assert tags.list() == Tags(store).list() == []


@pytest.mark.parametrize("spoiled", ["{", '"x"', "[5]", "{}"])
def test_a_tag_that_somebody_spoiled_keeps_everything(
    store: Store, caplog: pytest.LogCaptureFixture, spoiled: str
) -> None:
    Tags(store).add(RUN)
    other = sqlite3.connect(store.path)
    other.execute("UPDATE tags SET channels = ?", (spoiled,))
    other.commit()
    other.close()
    with caplog.at_level(logging.ERROR):
        (tag,) = Tags(store).list()
    assert tag.covers("anything")
    assert "tag 1: channels:" in caplog.text


def test_nobody_adds_while_the_turn_is_another_s(store: Store) -> None:
    tags = Tags(store)
    with tags.turn:
        assert not tags.turn.acquire(timeout=0.01)
    tags.add(RUN)
    assert tags.turn.acquire(timeout=0.01)
