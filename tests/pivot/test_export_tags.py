import history
import pytest

from speeddata.pivot.export_tags import Tags
from speeddata.pivot.problem import Problem

NOON = "2023-11-14T12:00:00Z"


def tag(id, name, start=NOON, end=NOON, channels=None):
    return {"id": id, "name": name, "start": start, "end": end, "channels": channels, "note": ""}


@pytest.fixture
def told():
    return [tag(1, "a"), tag(2, "b", channels=["x"]), tag(3, "b", end="2023-11-14T13:00:00Z"), tag(4, "2")]


def test_tags_are_found_by_name_or_id(told):
    with history.registry([], told) as url:
        tags = Tags(url)
        assert tags.named("a").id == 1
        assert tags.named("3").end_ns - tags.named("3").start_ns == 3600 * 10**9
        assert tags.named("2").id == 4, "a name goes before an id"
        for name, status in (("b", 409), ("nosuch", 404)):
            with pytest.raises(Problem) as caught:
                tags.named(name)
            assert caught.value.status == status
        told.append(tag(5, "new"))
        assert tags.named("new").id == 5, "what is asked for is asked each time"


def test_those_that_overlap_are_told(told):
    now = [0.0]
    with history.registry([], told) as url:
        tags = Tags(f"{url}/api/v1", lambda: now[0])
        noon = tags.named("a").start_ns
        assert [one["id"] for one in tags.overlapping(noon, noon, ["y"])] == [1, 3, 4]
        assert [one["id"] for one in tags.overlapping(noon + 1, noon + 2, ["x", "y"])] == [3]
        assert tags.overlapping(0, noon - 1, ["x"]) == []
        told.clear()
        assert tags.overlapping(noon, noon, ["x"]), "for a second its answer counts"
        now[0] = 2.0
        assert tags.overlapping(noon, noon, ["x"]) == []


@pytest.mark.parametrize("url", [None, history.NO_REGISTRY])
def test_without_a_registry_tags_are_unknown(url):
    assert Tags(url).overlapping(0, 10, ["x"]) == []
    with pytest.raises(Problem) as caught:
        Tags(url).named("a")
    assert caught.value.status == 503


def test_what_is_no_list_of_tags_is_none():
    with history.registry([], [{"id": "x"}]) as url:
        assert Tags(url).overlapping(0, 10, ["x"]) == []
