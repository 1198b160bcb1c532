import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from speeddata.settings_docs import main, table_markdown, update
from speeddata.settings_table import FILES, TABLE, Setting

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
WORDS = {"flag": "`true`, `false`", "host": "address", "names": "list of names", "keys": "list of names"}
HEAD = ["key", "type", "unit", "default", "meaning"]


def told(page: str, file: str) -> dict[str, list[str]]:
    """What the table of a file tells, by key; read as a reader does, from the heading of the file on."""
    section = re.split(rf"^## {file}\.yaml$", page, flags=re.MULTILINE)[1].partition("\n## ")[0]
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line[:1] == "|"
    ]
    start = lines.index(HEAD)
    found: dict[str, list[str]] = {}
    for cells in lines[start + 2 :]:
        if len(cells) != len(HEAD):
            break  # another table
        key = re.fullmatch(r"`([^`]+)`( \\\*)?", cells[0])
        assert key is not None
        assert key[1] not in found
        found[key[1]] = [key[2] or "", *cells[1:]]
    return found


def faults(page: str, files: Sequence[str] = FILES) -> list[str]:
    """What the page does not tell, or tells wrong, of the settings."""
    found = []
    for file in files:
        cells = told(page, file)
        own = {row.key: row for row in TABLE if row.file == file}
        found += [f"{file}.{key}" for key in own.keys() ^ cells.keys()]
        found += [f"{file}.{key}" for key in own.keys() & cells.keys() if not right(own[key], cells[key])]
    return found


def right(row: Setting, cells: list[str]) -> bool:
    mark, kind, unit, default, meaning = cells
    bounds = [
        f"{bound:.0f}" if bound >= 1 else f"{bound:g}" for bound in (row.low, row.high) if bound is not None
    ]
    return (
        (mark != "") == row.channel
        and unit == row.unit
        and default.strip("`") == (json.dumps(row.default) if not isinstance(row.default, str) else row.default)
        and meaning == row.help
        and all(re.search(rf"(?<![\d.]){re.escape(bound)}(?![\d.])", kind) for bound in bounds)
        and all(f"`{choice}`" in kind for choice in row.choices)
        and ("`null`" in kind) == row.optional
        and (bool(row.choices) or WORDS.get(row.kind, row.kind) in kind)
    )  # fmt: skip


def test_the_page_tells_every_setting_in_the_table_of_its_file() -> None:
    assert faults(PAGE.read_text()) == []


def test_no_row_can_be_missing_or_wrong_without_being_noticed() -> None:
    page = PAGE.read_text()
    for row in TABLE:
        section = page.partition(f"table {row.file} -->")[2].partition("<!-- end")[0]
        (line,) = [one for one in section.splitlines(keepends=True) if one.startswith(f"| `{row.key}`")]
        wrong = [""]
        for place, cell in enumerate(cells := line.split("|")):
            changed = "  " if cell.strip() and place != 2 else " x "
            wrong += ["|".join([*cells[:place], changed, *cells[place + 1 :]])] if 1 < place < 6 else []
        assert len(wrong) == 5
        for other in wrong:
            assert f"{row.file}.{row.key}" in faults(page.replace(line, other), [row.file])


def test_the_tables_of_the_page_are_those_of_the_code() -> None:
    page = PAGE.read_text()
    assert update(page) == page, "run: python -m speeddata.settings_docs docs/configuration.md"


def test_a_page_is_rewritten_between_its_marks(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("before\n<!-- table pivot -->\nold\n<!-- end -->\nafter\n")
    main([str(path)])
    assert path.read_text() == f"before\n<!-- table pivot -->\n{table_markdown('pivot')}<!-- end -->\nafter\n"


@pytest.mark.parametrize("file", FILES)
def test_every_file_has_a_table(file: str) -> None:
    assert told(PAGE.read_text(), file)
