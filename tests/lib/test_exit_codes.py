"""Exit statuses stand in one place."""

import re
from pathlib import Path

from speeddata import exit_codes
from speeddata.exit_codes import MEANINGS, epilog

ROOT = Path(__file__).parents[2]


def test_an_epilog_tells_each_status_that_there_is() -> None:
    assert epilog() == "Exit status: 0 done, 1 failed, 2 wrong usage."
    told = epilog("whole", damaged="damaged", trouble="in trouble")
    assert told == "Exit status: 0 whole, 1 failed, 2 wrong usage, 3 damaged, 4 in trouble."


def test_each_status_has_its_meaning() -> None:
    numbers = {value for value in vars(exit_codes).values() if isinstance(value, int)}
    assert {status for status, _, _ in MEANINGS} == numbers


def test_commands_have_no_numbers_of_their_own() -> None:
    own = re.compile(
        r"sys\.exit\(\d|\bexit_code = \d|^(?:CANNOT_START|FAILED|USAGE|DAMAGED|EXIT_\w+) = ", re.MULTILINE
    )
    for folder in ("lib", "relay", "pivot", "stripchart"):
        for path in (ROOT / folder).glob("*.py"):
            assert path.name == "exit_codes.py" or not own.search(path.read_text()), path
