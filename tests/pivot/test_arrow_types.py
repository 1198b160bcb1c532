import numpy as np
import pytest

from speeddata.pivot.arrow_types import PLAIN, json_text, plain_json
from speeddata.tree import PRIMITIVES


def test_each_plain_type_of_avro_has_one():
    assert set(PLAIN) == PRIMITIVES.keys() - {"null"} | {"enum", "fixed"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ({"a": [1, None]}, '{"a":[1,null]}'),
        (float("nan"), "null"),
        (b"\0\xff", '{"base64":"AP8="}'),
        ([b"x"], '[{"base64":"eA=="}]'),
        (np.arange(2), "[0,1]"),
        ({1: "a"}, '{"1":"a"}'),
    ],
)
def test_values_without_a_type_are_json(value, text):
    assert json_text(value) == text


def test_what_is_no_value_of_avro_is_an_error():
    with pytest.raises(TypeError, match="object"):
        plain_json(object())
