"""What is written, read by Prometheus's own parsers."""

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_plain

from speeddata.registry.exposition import OPENMETRICS, PLAIN, Family, label_text, media_type, write_families

AWKWARD = 'a "quoted" \\ name\nof two lines, ü'
PROMETHEUS = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"


def families() -> list[Family]:
    labels = label_text({"channel": AWKWARD, "state": "x"})
    return [
        Family("made_up_total", "counter", "Counted.", [f"made_up_total{labels}}} {2**53 - 1}\n"]),
        Family("empty", "gauge", "Of nothing.", []),
        Family("level", "gauge", "Measured.", ["level -1.5e-07\n"]),
    ]


@pytest.mark.parametrize(("media", "read"), [(PLAIN, read_plain), (OPENMETRICS, read_openmetrics)])
def test_both_formats_are_read_back(media, read) -> None:
    first, second = read(write_families(families(), media))
    assert (first.name, first.type, first.documentation) == ("made_up", "counter", "Counted.")
    (sample,) = first.samples
    assert (sample.name, sample.labels, sample.value) == (
        "made_up_total", {"channel": AWKWARD, "state": "x"}, 2**53 - 1,
    )  # fmt: skip
    assert (second.name, second.type, second.samples[0].value) == ("level", "gauge", -1.5e-7)


def test_a_name_that_is_no_text_spoils_nothing() -> None:
    assert label_text({"process": "a\udcff"}) == '{process="a?"'


def test_the_format_is_what_is_asked_for() -> None:
    assert media_type("") == media_type("*/*") == media_type("text/plain;version=0.0.4") == PLAIN
    assert (
        media_type(PROMETHEUS) == media_type("application/openmetrics-text; version=nonsense") == OPENMETRICS
    )
