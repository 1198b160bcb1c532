import asyncio

import ingest_world
import orjson
import pytest

from speeddata.pivot import ingest_specs
from speeddata.pivot.ingest_specs import RegistryAway, Specs, compiled

PLAIN = {"type": "record", "name": "plain", "fields": [{"name": "time", "type": "long"}]}


@pytest.fixture
def registry():
    with ingest_world.registry() as registry:
        registry.add("x", ingest_world.SPEED)
        yield registry


def run(registry, work):
    async def main():
        specs = Specs(f"{registry.url}/api/v1/")
        try:
            return await work(specs)
        finally:
            specs.close()

    return asyncio.run(main())


def test_a_channel_is_asked_for_once(registry):
    async def work(specs):
        assert specs.recall("x") is None
        first = await specs.find(["x"])
        assert await specs.find(["x"]) == first
        assert specs.recall("x") is first["x"]
        return first["x"]

    known = run(registry, work)
    assert (known.name, known.unit, known.spec) == ("x", "ns", registry.specs["x"])
    assert known.fingerprint == known.plan.schema.fingerprint.hex()
    assert (registry.asked, registry.named) == (["/api/v1/channels/specs"], ["x"])


def test_what_is_forgotten_is_asked_for_again(registry):
    async def work(specs):
        await specs.find(["x"])
        specs.forget(["x", "never"])
        return await specs.find(["x"])

    assert run(registry, work)["x"]
    assert len(registry.asked) == 2


def test_channels_that_there_are_not(registry):
    assert run(registry, lambda specs: specs.find(["y", "not a name", "../x"])) == {
        "y": None, "not a name": None, "../x": None,
    }  # fmt: skip
    assert registry.named == ["y"]


def test_many_channels_are_asked_for_together(registry, monkeypatch):
    monkeypatch.setattr(ingest_specs, "ASKED", 3)
    names = [f"x{n}" for n in range(7)]
    for name in names:
        registry.add(name, ingest_world.SPEED)
    found = run(registry, lambda specs: specs.find([*names, "away"]))
    assert [known and known.name for known in found.values()] == [*names, None]
    assert registry.asked == ["/api/v1/channels/specs"] * 3


@pytest.mark.parametrize(("stated", "unit"), [("ms", "ms"), (None, None), ("never", None)])
def test_the_unit_of_the_time_is_the_channels(registry, stated, unit):
    registry.add("p", PLAIN, time_unit=stated if stated == "ms" else None)
    assert run(registry, lambda specs: specs.find(["p"]))["p"].unit == unit


def test_the_unit_that_the_relay_has_found_counts(registry, monkeypatch):
    registry.add("p", PLAIN)
    monkeypatch.setattr(registry, "get", lambda _: (200, {"time_unit": "us"}))
    assert run(registry, lambda specs: specs.find(["p"]))["p"].unit == "us"


def test_versions_of_a_schema_come_newest_first(registry):
    registry.add("v", ingest_world.SPEED, versions=[PLAIN])
    plans = run(registry, lambda specs: specs.find(["v"]))["v"].versions()
    assert [plan.schema.name for plan in plans] == ["speed", "plain"]


def test_channels_are_made_many_at_once(registry):
    async def work(specs):
        channels = [{"name": f"c{n}", "port": None, "schema": PLAIN} for n in range(100)]
        made, refused = await specs.create([*channels, {"name": "x", "port": None, "schema": PLAIN}])
        assert (len(made), refused) == (100, {"x": "exists"})
        return await specs.find(made)

    assert len(run(registry, work)) == 100
    assert registry.asked[0] == "/api/v1/channels/batch"


@pytest.mark.parametrize(
    "answer",
    [
        (500, {"error": "x"}),
        (200, []),
        (200, {}),
        (200, {"specs": []}),
        (200, {"specs": [1]}),
        (200, {"specs": [{"schema": {"type": "int"}}]}),
    ],
)
def test_a_registry_that_answers_what_is_no_spec_is_away(registry, monkeypatch, answer):
    monkeypatch.setattr(registry, "post", lambda *_: answer)
    with pytest.raises(RegistryAway) as caught:
        run(registry, lambda specs: specs.find(["x"]))
    assert (caught.value.status, caught.value.headers) == (503, {"retry-after": "1"})


def test_a_registry_that_is_not_there_is_away(registry):
    registry.url = "http://127.0.0.1:9"
    with pytest.raises(RegistryAway):
        run(registry, lambda specs: specs.find(["x"]))
    with pytest.raises(RegistryAway):
        run(registry, lambda specs: specs.create([]))


def test_only_so_many_are_kept(registry, monkeypatch):
    monkeypatch.setattr(ingest_specs, "MAX_KEPT", 2)
    for name in "abc":
        registry.add(name, PLAIN)

    async def work(specs):
        await specs.find(["a", "b", "c"])
        return [specs.recall(name) is not None for name in "abc"]

    assert sum(run(registry, work)) == 2


def test_like_schemas_have_one_plan():
    assert compiled(orjson.dumps(PLAIN), None) is compiled(orjson.dumps(PLAIN), None)
    assert compiled(orjson.dumps(PLAIN), "ms").schema.time_unit == "ms"
