"""The services keep to their OpenAPI documents, whatever they are asked (the long form: make proof PART=api)."""

import api_cases
import system


def test_no_made_up_request_is_answered_by_5xx_or_otherwise_than_told(tmp_path):
    with system.run(tmp_path / "data") as running:
        running.processes()
        api_cases.fill(running)
        seen = api_cases.run_cases(f"http://127.0.0.1:{running.pivot_port}", 300)
    assert seen[200] > 0
    assert seen[400] > 0


def test_the_registration_api_keeps_to_its_document(tmp_path):
    with system.run(tmp_path / "data", "--only=relay") as running:
        seen = api_cases.ask_registry(running, 250)
    assert seen[200] > 0
    assert seen[400] > 0
    assert seen[404] > 0
