"""The benchmark as it is run, on a small scale."""

import json
import xml.etree.ElementTree
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from speeddata.plan import Plan
from speeddata.relay.bench import SCHEMA, Point, Series, main, packets
from speeddata.schema import Schema


@pytest.mark.parametrize("size", [64, 200, 1400, 8000])
@pytest.mark.parametrize("joined", [False, True])
def test_packets_are_valid_and_of_the_size_asked_for(size: int, joined: bool) -> None:
    burst = packets(size, joined)
    assert len(burst) % size == 0
    assert not joined or len(burst) <= 65507
    assert Plan(Schema.parse(SCHEMA)).packet(burst[:size]) == 1


def test_sizes_without_a_record_are_refused() -> None:
    with pytest.raises(click.BadParameter, match="20 bytes are too few"):
        packets(20, joined=False)


def test_the_fastest_run_without_a_loss_counts() -> None:
    points = [Point(9.0, 9, 1, 1.0, 0.0), Point(4.0, 4, 0, 1.0, 0.0), Point(6.0, 6, 0, 1.0, 0.0)]
    assert Series("relay", 200, "plain", points).lossless == points[2]
    assert Series("relay", 200, "plain", points[:1]).lossless is None


def test_it_measures_prints_and_saves(tmp_path: Path) -> None:
    out = tmp_path / "b"
    done = CliRunner().invoke(
        main, ["--sizes", "200", "--modes", "plain", "--seconds", "0.1", "--pairs", "1", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    document = json.loads((tmp_path / "b.json").read_text())
    (result,) = document["results"]
    assert [one["name"] for one in result["series"]] == ["recvmmsg", "relay", "python"]
    for one in result["series"]:
        assert all(point["sent"] > 0 and 0 <= point["lost"] <= point["sent"] for point in one["points"])
    assert isinstance(document["disturbed"], bool)
    assert "packets/s without loss" in done.output
    picture = xml.etree.ElementTree.parse(tmp_path / "b.svg").getroot()
    assert len(picture.findall(".//{http://www.w3.org/2000/svg}polyline")) == 3
