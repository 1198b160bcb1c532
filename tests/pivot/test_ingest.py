import asyncio
import time

import ingest_world
import numpy as np
import pytest

from speeddata.columns import decode
from speeddata.pivot import ingest as module
from speeddata.pivot import store_client
from speeddata.pivot.ingest import make_ingest
from speeddata.pivot.ingest_batch import Batch, Columns, Part, Records, Rows
from speeddata.pivot.problem import Problem
from speeddata.plan import Plan
from speeddata.rows_json import RowEncoder
from speeddata.schema import Schema

ROWS = [{"time": 1, "speed": 1.5}, {"time": 2, "speed": 2.5, "gear": 3}]
POINT = {
    "type": "record",
    "name": "point",
    "fields": [
        {"name": "time", "type": {"type": "long", "logicalType": "timestamp-nanos"}},
        {"name": "value", "type": ["null", "double"]},
        {"name": "text", "type": ["null", "string"]},
    ],
}


class World:
    """An Ingest, and what it talks to."""

    def __init__(self, registry, store):
        self.registry = registry
        self.store = store

    def run(self, work):
        async def main():
            ingest = make_ingest(self.registry.url, self.store.path)
            try:
                return await asyncio.wait_for(work(ingest), 60)
            finally:
                ingest.close()

        return asyncio.run(main())

    def append(self, *parts, **options):
        return self.run(lambda ingest: ingest.append(Batch(list(parts)), **options))

    def refused(self, *parts, **options):
        with pytest.raises(Problem) as caught:
            self.append(*parts, **options)
        return caught.value


@pytest.fixture
def world(tmp_path):
    with ingest_world.registry() as registry, ingest_world.store(tmp_path) as store:
        registry.add("x", ingest_world.SPEED)
        yield World(registry, store)


def test_a_batch_is_archived_and_the_relay_told_of_the_channel_once(world):
    async def work(ingest):
        return [await ingest.append(Batch([Part("x", Rows(ROWS))])) for _ in range(3)]

    assert world.run(work) == [{"ingested": 2, "channels": {"x": 2}, "repeated": False}] * 3
    assert [head["op"] for head in world.store.heads] == ["append", "open", "append", "append", "append"]
    made = decode(Plan(Schema.parse(ingest_world.SPEED)), world.store.records("x"))
    assert made["speed"].tolist() == [1.5, 2.5] * 3


def test_parts_of_several_channels_are_one_batch(world):
    world.registry.add("y", ingest_world.SPEED)
    columns = Columns({"time": np.array([1]), "speed": np.array([1.0])})
    answer = world.append(Part("x", Rows(ROWS)), Part("y", columns), Part("x", Rows(ROWS[:1])))
    assert answer["channels"] == {"x": 3, "y": 1}
    assert [(name, count) for name, _, count in world.store.batches[0]] == [("x", 2), ("y", 1), ("x", 1)]


def test_what_the_relay_is_told(world):
    world.append(Part("x", Rows(ROWS)), key="k", durability="block", live="true")
    head = world.store.heads[-1]
    assert (head["key"], head["durability"], head["live"]) == ("k", "block", True)


@pytest.mark.parametrize(
    ("live", "age_s", "told"),
    [
        ("auto", 0, None),
        ("auto", 59, None),
        ("auto", 61, False),
        ("auto", -61, False),
        ("false", 0, False),
        ("true", 999, True),
    ],
)
def test_what_is_sent_live(world, live, age_s, told):
    rows = [{"time": 5, "speed": 1}, {"time": time.time_ns() - age_s * 10**9, "speed": 1}]
    world.append(Part("x", Rows(rows)), live=live)
    assert world.store.heads[-1]["live"] is told


def test_nothing_is_sent_where_there_is_nothing(world):
    assert world.append(Part("x", Rows([])))["ingested"] == 0
    assert world.append()["channels"] == {}
    assert world.store.heads == []


def test_unknown_channels_are_404_with_all_their_names(world):
    problem = world.refused(*(Part(name, Rows(ROWS)) for name in ("x", "y", "z")))
    assert (problem.status, problem.body["name"], problem.body["names"]) == (404, "y", ["y", "z"])
    assert world.refused(Part("../x", Rows(ROWS))).status == 404
    assert world.refused(Part("../x", Rows(ROWS)), create=True).status == 400
    assert world.store.batches == []


def test_a_channel_is_made_by_what_its_rows_look_like(world):
    answer = world.append(
        Part("new", Rows([{"time": 1700000000.5, "a": 1}, {"time": 1700000001, "a": None}])), create=True
    )
    assert answer == {"ingested": 2, "channels": {"new": 2}, "repeated": False, "created": ["new"]}
    assert world.registry.specs["new"]["config"] == {"time_unit": "s"}
    again = world.append(Part("new", Rows([{"time": 1700000002.25}])), create=True)
    assert "created" not in again
    made = decode(
        Plan(Schema.parse(world.registry.specs["new"]["schema"], time_unit="s")), world.store.records("new")
    )
    assert made["time"].tolist() == [1700000000.5, 1700000001.0, 1700000002.25]


def test_rows_that_no_channel_can_be_made_by(world):
    problem = world.refused(Part("new", Rows([{"time": 1, "a b": 1}])), create=True)
    assert (problem.status, problem.body["field"], problem.body["channel"]) == (400, "a b", "new")
    assert "new" not in world.registry.specs


@pytest.mark.parametrize(
    "parts",
    [
        [Part("new", Rows([{"time": "2016-12-31T24:00:00Z", "v": 1}]))],
        [Part("new", Rows(ROWS)), Part("x", Rows([{"time": 1, "speed": "fast"}]))],
    ],
    ids=["its own rows", "those of a channel that there is"],
)
def test_no_channel_is_made_for_a_batch_that_is_refused(world, parts):
    assert world.refused(*parts, create=True).status == 400
    assert "new" not in world.registry.specs
    answer = world.append(Part("new", Rows([{"time": "2017-01-01T00:00:00Z", "v": 1.5}])), create=True)
    assert answer["created"] == ["new"]


def test_a_channel_that_somebody_else_makes_meanwhile_is_taken_as_it_is(world, monkeypatch):
    post = world.registry.post

    def first_another(path, body):
        if path.endswith("/batch"):
            world.registry.add("new", ingest_world.SPEED)
        return post(path, body)

    monkeypatch.setattr(world.registry, "post", first_another)
    answer = world.append(Part("new", Rows([{"time": 1, "speed": 1}])), create=True)
    assert (answer["ingested"], answer.get("created")) == (1, None)


def test_a_channel_that_the_registry_refuses(world, monkeypatch):
    post = world.registry.post
    refused = 200, {"refused": [{"name": "new", "error": "no room"}]}
    monkeypatch.setattr(
        world.registry, "post", lambda path, body: refused if path.endswith("/batch") else post(path, body)
    )
    problem = world.refused(Part("new", Rows(ROWS)), create=True)
    assert (problem.status, problem.body["error"]) == (400, "The channel cannot be made: no room")


def points(count, *values):
    schema = Schema.parse(POINT)
    columns = {
        "time": list(range(len(values))),
        "value": [None if isinstance(value, str) else value for value in values],
        "text": [value if isinstance(value, str) else None for value in values],
    }
    return [Part(f"m{n}", Columns(columns), schema, {"live": False}) for n in range(count)]


def test_a_thousand_series_are_made_and_fed_at_once(world):
    answer = world.append(*points(1000, 1.5, "text"), create=True)
    assert (answer["ingested"], len(answer["channels"]), len(answer["created"])) == (2000, 1000, 1000)
    assert world.registry.specs["m999"]["config"] == {"live": False}
    assert sum(path.endswith("/batch") for path in world.registry.asked) == 1
    asked = len(world.registry.asked)
    world.append(*points(1000, 2.5), create=True)
    assert len(world.registry.asked) == asked  # their schema came along, and the relay knows it
    made = decode(Plan(Schema.parse(POINT)), world.store.records("m7"))
    assert (made["value"].tolist()[::2], made["text"].tolist()) == ([1.5, 2.5], [None, "text", None])


def test_a_schema_that_changed_is_noticed(world):
    async def work(ingest):
        await ingest.append(Batch([Part("x", Rows(ROWS))]))
        fields = [*ingest_world.SPEED["fields"], {"name": "more", "type": "double", "default": 0.5}]
        world.registry.add("x", {**ingest_world.SPEED, "fields": fields})
        world.store.forget()
        return await ingest.append(Batch([Part("x", Rows(ROWS))]))

    assert world.run(work)["ingested"] == 2
    schema = Schema.parse(world.registry.specs["x"]["schema"])
    assert decode(Plan(schema), world.store.batches[1][0][1])["more"].tolist() == [0.5, 0.5]


OTHER = {
    "type": "record",
    "name": "other",
    "fields": [ingest_world.SPEED["fields"][0], {"name": "more", "type": "double"}],
}


def test_a_channel_that_is_another_by_now_is_noticed_by_rows_of_the_new_one(world):
    async def work(ingest):
        await ingest.append(Batch([Part("x", Rows(ROWS))]))
        world.registry.add("x", OTHER)
        world.store.forget()
        return await ingest.append(Batch([Part("x", Rows([{"time": 1, "more": 2.5}]))]))

    assert world.run(work)["ingested"] == 1
    assert decode(Plan(Schema.parse(OTHER)), world.store.batches[1][0][1])["more"].tolist() == [2.5]


def test_rows_that_never_fitted_are_refused_when_the_channel_was_asked_for_again(world):
    async def work(ingest):
        await ingest.append(Batch([Part("x", Rows(ROWS))]))
        with pytest.raises(Problem) as caught:
            await ingest.append(Batch([Part("x", Rows([{"time": 1, "speed": "fast"}]))]))
        assert caught.value.status == 400
        world.registry.specs.clear()
        await ingest.append(Batch([Part("x", Rows([{"time": 1, "speed": "fast"}]))]))

    with pytest.raises(Problem) as caught:
        world.run(work)
    assert caught.value.status == 404


def test_a_channel_that_was_removed_is_noticed(world):
    async def work(ingest):
        await ingest.append(Batch([Part("x", Rows(ROWS))]))
        world.registry.specs.clear()
        world.store.forget()
        await ingest.append(Batch([Part("x", Rows(ROWS))]))

    with pytest.raises(Problem) as caught:
        world.run(work)
    assert caught.value.status == 404


def test_a_key_makes_a_batch_known_again(world):
    assert not world.append(Part("x", Rows(ROWS)), key="k")["repeated"]
    assert world.append(Part("x", Rows(ROWS)), key="k")["repeated"]
    assert world.refused(Part("x", Rows(ROWS[:1])), key="k").status == 409
    assert world.store.count() == 2


def test_an_answer_that_is_lost_is_asked_for_again_where_there_is_a_key(world):
    async def work(ingest):
        await ingest.append(Batch([Part("x", Rows(ROWS))]))
        world.store.faults.append("drop")
        return await ingest.append(Batch([Part("x", Rows(ROWS))]), key="k")

    assert world.run(work)["repeated"]
    assert world.store.count() == 4


def test_an_answer_that_is_lost_is_said_where_there_is_none(world):
    async def work(ingest):
        await ingest.append(Batch([Part("x", Rows(ROWS))]))
        world.store.faults.append("drop")
        await ingest.append(Batch([Part("x", Rows(ROWS))]))

    with pytest.raises(Problem, match="not known whether") as caught:
        world.run(work)
    assert (caught.value.status, caught.value.headers) == (503, {"retry-after": "1"})


def test_a_relay_that_is_away(world, monkeypatch):
    monkeypatch.setattr(store_client, "CONNECT_S", 0.01)
    world.store.close()
    problem = world.refused(Part("x", Rows(ROWS)))
    assert (problem.status, problem.headers) == (503, {"retry-after": "1"})


@pytest.mark.parametrize(
    ("answer", "status", "retry"),
    [
        ({"status": 429, "error": "busy", "retry_after": 2.6}, 429, "3"),
        ({"status": 503, "error": "starting"}, 503, "1"),
        ({"status": 507, "error": "no room"}, 507, None),
        ({"status": 413, "error": "too large"}, 413, None),
        ({"status": 404, "error": "gone"}, 404, None),
        ({"status": 500, "error": "broken"}, 503, "1"),
        ({"status": "x"}, 503, "1"),
    ],
)
def test_what_the_relay_refuses_is_passed_on(world, answer, status, retry):
    world.store.faults.append({"ok": False, **answer})
    problem = world.refused(Part("x", Rows(ROWS)))
    assert (problem.status, (problem.headers or {}).get("retry-after")) == (status, retry)


def test_a_record_that_the_relay_refuses_is_told_as_others(world):
    about = {"channel": "x", "row": 5, "reason": "utf8"}
    world.store.faults.append({"ok": False, "status": 400, "error": "not a record", **about})
    (error,) = world.refused(Part("x", Rows(ROWS))).body["errors"]
    assert (error["row"], error["channel"]) == (5, "x")


def test_a_relay_that_never_knows_the_channel(world):
    world.store.faults += [{"ok": False, "status": 404, "error": "?", "unknown": ["x"]}, {"ok": True}] * 10
    assert world.refused(Part("x", Rows(ROWS))).status == 503


def test_too_many_bytes_of_records(world, monkeypatch):
    monkeypatch.setattr(module, "MAX_BODY", 10)
    assert world.refused(Part("x", Rows(ROWS))).status == 413


def test_large_batches_are_encoded_in_threads(world):
    data = RowEncoder(Plan(Schema.parse(ingest_world.SPEED)), "ns").rows(ROWS * 10_000).data
    batch = Batch([Part("x", Records(data))], size=len(data))
    assert world.run(lambda ingest: ingest.append(batch))["ingested"] == 20_000
