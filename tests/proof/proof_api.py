"""Five thousand requests made up from the history service's OpenAPI document: no 5xx, no answer that it does not tell."""

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
