import importlib.util

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.compression import COMPRESSIONS, Compressor, unusable
from speeddata.container import CODECS, unpack

CONTENTS = st.lists(st.binary(max_size=3000) | st.binary(max_size=9).map(lambda part: part * 400), max_size=5)


@pytest.mark.parametrize("codec", COMPRESSIONS)
@given(contents=CONTENTS)
def test_what_is_compressed_is_unpacked(codec: str, contents: list[bytes]) -> None:
    compressor = Compressor(codec)
    for content in contents:
        assert unpack(codec, compressor.compress(memoryview(content))) == content


@pytest.mark.parametrize("codec", COMPRESSIONS)
def test_it_is_smaller(codec: str) -> None:
    assert len(Compressor(codec).compress(b"telemetry " * 1000)) < 1000


def test_every_codec_can_be_read_and_used() -> None:
    assert set(COMPRESSIONS) < set(CODECS)
    assert [unusable(codec) for codec in COMPRESSIONS] == ["", ""]


def test_a_codec_whose_package_is_missing_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert unusable("zstandard") == "the package zstandard is not installed"
    assert unusable("deflate") == ""
