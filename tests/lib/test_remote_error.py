import pytest

from speeddata.errors import SpeedDataError
from speeddata.remote_error import RemoteError


def test_has_the_words_of_the_service():
    error = RemoteError.of(404, b'{"error": "Channel not found", "name": "x"}', "GET /query")
    assert isinstance(error, SpeedDataError)
    assert str(error) == "GET /query: 404 Channel not found (name: x)"
    assert (error.status, error.details["name"]) == (404, "x")


@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"[1]", b'{"x": 1}', b"\xff"])
def test_takes_any_answer(body):
    error = RemoteError.of(502, body, "GET /x")
    assert str(error).startswith("GET /x: 502 ")
    assert error.details == {}
