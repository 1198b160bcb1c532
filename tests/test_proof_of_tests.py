"""The list of removals that the proof of the tests goes by: what it would remove is there, once, and so are the tests that notice."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "proof"))

from removal import Removal  # noqa: E402
from removals import REMOVALS  # noqa: E402


@pytest.mark.parametrize("removal", REMOVALS, ids=lambda removal: removal.name)
def test_a_removal_finds_what_it_removes(removal: Removal) -> None:
    text = (ROOT / removal.file).read_text()
    assert text.count(removal.old) == 1
    assert removal.old != removal.new
    for test in removal.tests:
        file, _, name = test.partition("::")
        assert f"def {name.partition('[')[0]}" in (ROOT / file).read_text()
