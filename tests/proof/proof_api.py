"""Thousands of requests made up from the services' OpenAPI documents: no 5xx, no answer that they do not tell."""

import api_cases
import system

CASES = 5000


def test_five_thousand_requests(tmp_path):
    with system.run(tmp_path / "data") as running:
        running.processes()
        api_cases.fill(running)
        seen = api_cases.run_cases(f"http://127.0.0.1:{running.pivot_port}", CASES)
    print(dict(sorted(seen.items())))
    assert sum(seen.values()) >= CASES


def test_two_thousand_of_the_registration_api(tmp_path):
    with system.run(tmp_path / "data", "--only=relay") as running:
        seen = api_cases.ask_registry(running, 2000)
    print(dict(sorted(seen.items())))
    assert sum(seen.values()) >= 2000
