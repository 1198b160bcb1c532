from typing import Any

import flask
import pytest

from speeddata.registry.body import json_body, read_text
from speeddata.registry.problems import ApiProblem


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        ('{"a": 1}', "application/json", None),
        ('{"a": 1}', "application/json; charset=utf-8", None),
        ('{"a": 1}', "application/vnd.x+json", None),
        ('{"a": 1}', "text/plain", 415),
        ('{"a": 1}', "", 415),
        ("", "", 400),
        (" \n", "text/plain", 400),
        ("{", "application/json", 400),
        ("[]", "application/json", 400),
        ("[1]", "application/json", 400),
        ('"x"', "application/json", 400),
        ('{"a": Infinity}', "application/json", 400),
        ('{"a": 1e999}', "application/json", 400),
        ('{"a": ' + "[" * 250 + "]" * 250 + "}", "application/json", 400),
        ('{"a": ' + "[" * 30000 + "]" * 30000 + "}", "application/json", 400),
        ('{"a": ' + "9" * 10000 + "}", "application/json", 400),
    ],
)
def test_a_body_is_a_json_object_or_refused(data: str, kind: str, status: int | None) -> None:
    with flask.Flask("test").test_request_context("/", method="POST", data=data, content_type=kind):
        if status is None:
            assert json_body() == {"a": 1}
            return
        with pytest.raises(ApiProblem) as caught:
            json_body()
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        ("{}", "application/json", None),
        ("{}", "text/plain", 415),
        ("", "application/json", 400),
        ("[]", "application/json", 400),
        ("null", "application/json", 400),
    ],
)
def test_an_object_may_be_empty_where_that_means_something(data: str, kind: str, status: int | None) -> None:
    with flask.Flask("test").test_request_context("/", method="POST", data=data, content_type=kind):
        if status is None:
            assert json_body(empty=True) == {}
            return
        with pytest.raises(ApiProblem) as caught:
            json_body(empty=True)
    assert caught.value.status == status


@pytest.mark.parametrize("value", [5, ["x"], "xxxx", "\udfff"])
def test_a_text_is_one_and_short_enough(value: Any) -> None:
    assert [read_text(body, "by", 3) for body in ({"by": "xyz"}, {"by": None}, {})] == ["xyz", "", ""]
    with pytest.raises(ApiProblem) as caught:
        read_text({"by": value}, "by", 3)
    assert (caught.value.status, caught.value.body["field"]) == (400, "by")
