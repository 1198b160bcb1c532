import re
from pathlib import Path

import pytest

from speeddata.counted import counted

ROOT = Path(__file__).parents[2]
# A number beside a word in the plural, whatever the number is.
PLURAL = re.compile(
    r"\{[^{}]+\} (?:more |new )?(?:blocks|channels|files|lines|packets|records|relays|rows|segments|signals|tags)\b(?!/)"
)


@pytest.mark.parametrize(
    ("count", "form", "words"),
    [(0, ",", "0 segments"), (1, ",", "1 segment"), (2, ",", "2 segments"), (2000, ",", "2,000 segments"), (2000, "", "2000 segments")],
)  # fmt: skip
def test_one_is_no_plural(count, form, words):
    assert counted(count, "segment", form) == words


def test_commands_count_what_they_print():
    files = [
        path
        for path in sorted((ROOT / "lib").glob("*.py"))
        if path.stem.endswith(("_command", "_commands", "_view"))
    ]
    assert len(files) >= 20
    assert [f"{path.name}: {found[0]}" for path in files for found in PLURAL.finditer(path.read_text())] == []
