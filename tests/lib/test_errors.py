"""The exceptions: what they are besides, and what they say."""

import pytest

from speeddata import errors


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [("SchemaError", ValueError), ("RecordError", ValueError), ("ConfigError", ValueError), ("TimeError", ValueError),
     ("ArchiveError", OSError), ("FormatError", OSError), ("FormatError", ValueError), ("RelayError", Exception)],
)  # fmt: skip
def test_each_is_ours_and_a_builtin(kind, builtin):
    assert issubclass(getattr(errors, kind), errors.SpeedDataError)
    assert issubclass(getattr(errors, kind), builtin)


def test_schema_errors_name_the_field():
    error = errors.SchemaError("no such type", "a.b")
    assert (str(error), error.field) == ("field 'a.b': no such type", "a.b")
    assert str(errors.SchemaError("not a record")) == "not a record"


def test_record_errors_carry_the_reason():
    assert errors.RecordError("the bytes end", "short").reason == "short"


def test_config_errors_hold_every_problem():
    error = errors.ConfigError(["a: wrong", "b: worse"])
    assert (str(error), error.problems) == ("a: wrong\nb: worse", ["a: wrong", "b: worse"])
