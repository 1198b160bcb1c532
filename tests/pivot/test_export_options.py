import sys

import pytest

from speeddata.pivot.export_formats import FORMATS
from speeddata.pivot.export_options import NAMES, Options, read_options, require_known
from speeddata.pivot.problem import Problem


def read(accept=None, channels=("a", "b"), **params):
    return read_options(params, channels, accept)


def refused(**params):
    with pytest.raises(Problem) as caught:
        read(**params)
    assert caught.value.status == 400
    return caught.value.body


def test_without_parameters_it_is_what_it_always_was():
    assert read() == Options()
    assert (Options().format.name, Options().compression, Options().layout) == ("hdf5", "none", "signals")


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_has_its_compressions(name):
    for compression in FORMATS[name].compressions:
        assert read(format=name, compression=compression).compression == compression
    assert read(format=name).compression == FORMATS[name].compressions[0]
    body = refused(format=name, compression="rar")
    wanted = f"one of {', '.join(FORMATS[name].compressions)}"
    error = f"Invalid compression: 'rar', wanted {wanted}"
    assert body == {"error": error, "field": "compression", "value": "rar", "wanted": wanted}


def test_format_goes_before_accept():
    assert read("text/csv").format.name == "csv"
    assert read("text/csv", format="avro").format.name == "avro"


def test_the_time_base_is_a_channel_or_a_rate():
    assert (read(align="linear").base_channel, read(align="linear", base="b").base_channel) == ("a", "b")
    made = read(align="nearest", base="100Hz")
    assert (made.base_channel, made.base_width_ns) == (None, 10_000_000)
    assert read(align="nearest", base="10ms").base_width_ns == 10_000_000
    assert read(channels=("10ms", "b"), align="nearest", base="10ms").base_channel == "10ms"
    assert "channels" in refused(align="nearest", base="c")["wanted"]
    assert "align" in refused(base="b")["wanted"]


def test_fault_27_a_codec_that_is_missing_is_told_before_anything_is_read(monkeypatch):
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    for compression in ("zstd", "bitshuffle-lz4"):
        assert "hdf5plugin" in refused(compression=compression)["wanted"]
    assert read(compression="gzip").compression == "gzip"


def test_there_is_no_other_parameter():
    require_known(dict.fromkeys(NAMES))
    with pytest.raises(Problem) as caught:
        require_known({"colour": "red"})
    assert caught.value.body["field"] == "colour"
