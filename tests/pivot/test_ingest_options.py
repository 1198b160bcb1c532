import pytest

from speeddata.pivot.ingest_options import CONTENT_TYPES, Options, read_key, read_options, read_type
from speeddata.pivot.problem import Problem


def test_without_a_query_there_are_defaults():
    assert read_options(b"") == Options()
    assert read_options(b"channel=") == Options()


def test_all_parameters():
    query = b"channel=x%20y&durability=block&create=true&live=false&time_unit=ms&ignore_unknown=true&delimiter=%09&key=k"
    expected = Options("x y", "block", True, "false", "ms", True, "\t", "k")
    assert read_options(query) == expected
    assert read_options(b"delimiter=semicolon").delimiter == ";"
    assert read_options(b"create=false") == Options()


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        (b"durability=none", "durability"),
        (b"create=yes", "create"),
        (b"live=", "live"),
        (b"time_unit=h", "time_unit"),
        (b"delimiter=x", "delimiter"),
        (b"chanel=x", "chanel"),
        (b"channel=x&channel=y", "channel"),
    ],
)
def test_wrong_parameters_are_named(query, parameter):
    with pytest.raises(Problem) as caught:
        read_options(query)
    assert (caught.value.status, caught.value.body["field"]) == (400, parameter)


def test_a_parameter_that_was_mistyped_is_guessed():
    with pytest.raises(Problem) as caught:
        read_options(b"ignore_unkown=true")
    assert caught.value.body["wanted"] == "ignore_unknown"


@pytest.mark.parametrize("query", [b"channel=%ff", b"&".join([b"channel=x"] * 100), "channel=é".encode()])
def test_a_query_that_cannot_be_read(query):
    with pytest.raises(Problem) as caught:
        read_options(query)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("header", "parameter", "key"),
    [
        (None, None, None),
        ("a b", None, "a b"),
        (None, "k", "k"),
        ("k", "k", "k"),
        ("k" * 200, None, "k" * 200),
    ],
)
def test_keys(header, parameter, key):
    assert read_key(header, parameter) == key


@pytest.mark.parametrize(
    ("header", "parameter"),
    [("", None), (None, ""), ("k" * 201, None), ("é", None), ("a\tb", None), ("a", "b")],
)
def test_what_is_no_key(header, parameter):
    with pytest.raises(Problem) as caught:
        read_key(header, parameter)
    assert (caught.value.status, caught.value.body["field"]) == (400, "key")


@pytest.mark.parametrize(
    "header",
    [
        *CONTENT_TYPES,
        "Application/JSON; charset=UTF-8",
        'text/csv; charset="utf-8"',
        "text/csv; header=present",
    ],
)
def test_content_types(header):
    assert read_type(header) in ("json", "csv", "avro", "arrow")


@pytest.mark.parametrize(
    "header",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"],
)
def test_what_a_page_of_another_site_could_send_is_not_taken(header):
    with pytest.raises(Problem) as caught:
        read_type(header)
    assert caught.value.status == 415
