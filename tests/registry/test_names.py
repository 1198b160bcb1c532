"""Fault 77: names by one grammar, and no path ever built from another. Ports as SpeedData always read them."""

from typing import Any

import pytest

API = "/api/v1"


def body(**changes: Any) -> dict[str, Any]:
    return {"name": "x", "port": 26070, "schema": "agents/example.avsc"} | changes


BAD_NAMES = [
    "../x",
    "a/b",
    "a..b",
    ".a",
    "-a",
    "_a",
    "a b",
    "a\n",
    "a\0b",
    "%2e%2e",
    "ａ",
    "é",
    "a" * 65,
    "x/../<b>",
    "CON:",
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_fault_77_names_keep_to_one_grammar(client: Any, name: str) -> None:
    answer = client.post(f"{API}/channels", json=body(name=name))
    assert answer.status_code == 400
    assert answer.json["error"] == "Invalid channel name"
    assert (answer.json["field"], answer.json["value"]) == ("name", name)
    assert answer.json["wanted"].startswith("1 to 64 letters")


@pytest.mark.parametrize("name", ["a", "7", "a.b", "a-b_c", "A" * 64, "CON"])
def test_names_of_the_grammar_are_taken(client: Any, name: str) -> None:
    assert client.post(f"{API}/channels", json=body(name=name)).status_code == 201
    assert client.get(f"{API}/channels/{name}").json["name"] == name


@pytest.mark.parametrize("port", [26070, "26070", " 26070 ", 26070.0])
def test_ports_are_what_int_reads(client: Any, port: Any) -> None:
    assert client.post(f"{API}/channels", json=body(port=port)).json["port"] == 26070
