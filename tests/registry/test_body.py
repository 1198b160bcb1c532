import flask
import pytest

from speeddata.registry.body import json_body
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
