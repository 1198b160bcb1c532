"""The names of metrics, as Prometheus wants them."""

import re

from speeddata.registry.metrics_table import GROUPS, LEFT_OUT, NAMES, TABLE

# Units of others than the base ones, and words that the type tells.
UNWANTED = re.compile(r"_(ms|us|ns|milliseconds|kilobytes|percent|minutes|hours|counter|gauge)(_|$)")


def test_names_are_of_one_house_and_told_once() -> None:
    assert len(set(NAMES)) == len(NAMES), "all rows of a name follow each other"
    for name in NAMES:
        assert re.fullmatch(r"speeddata_[a-z][a-z_]*[a-z]", name), name
        assert not UNWANTED.search(name), name
        assert not name.endswith(("_count", "_sum", "_bucket", "_created")), name


def test_rows_of_a_name_are_alike() -> None:
    kinds = {(metric.name, metric.help, metric.label_names) for metric in TABLE}
    assert len(kinds) == len(NAMES)
    series = [(metric.name, metric.labels) for metric in TABLE]
    assert len(set(series)) == len(series)


def test_a_number_is_told_under_one_name() -> None:
    told = [(metric.group, metric.key) for metric in TABLE]
    assert len(set(told)) == len(told)
    assert not {metric.key for metric in TABLE} & set(LEFT_OUT)


def test_labels_and_words_are_plain() -> None:
    for metric in TABLE:
        assert metric.group in GROUPS
        assert len(set(metric.label_names)) == len(metric.label_names)
        assert re.fullmatch(r'[^\\"\n]+\.', metric.help), metric.name
