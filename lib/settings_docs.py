"""The tables of docs/configuration.md, made from the settings table.

`python -m speeddata.settings_docs docs/configuration.md` puts them between the page's marks.
"""

import re
import sys
from pathlib import Path
from typing import Any

from speeddata.settings_table import FILES, TABLE, Setting
from speeddata.settings_values import bound

__all__ = ["default_words", "main", "table_markdown", "type_words", "update"]

MARKS = re.compile(r"(<!-- table (?P<file>[a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table_markdown(file: str) -> str:
    """The settings of one file as a Markdown table."""
    lines = ["| key | type | unit | default | meaning |", "| --- | --- | --- | --- | --- |"]
    lines += [_row(row) for row in TABLE if row.file == file]
    return "\n".join(lines) + "\n"


def update(page: str) -> str:
    """Give a page with its tables made anew."""
    return MARKS.sub(lambda match: match[1] + table_markdown(match["file"]) + match[3], page)


def main(arguments: list[str]) -> None:
    """Rewrite the tables of pages."""
    for argument in arguments:
        path = Path(argument)
        path.write_text(update(path.read_text(encoding="utf-8")), encoding="utf-8")


def type_words(row: Setting) -> str:
    """What values a setting takes, without their unit."""
    if row.choices:
        text = ", ".join(f"`{choice}`" for choice in row.choices)
    elif row.low is not None and row.high is not None:
        text = f"{row.kind} {bound(row.low)} to {bound(row.high)}"
    else:
        text = {
            "flag": "`true`, `false`",
            "host": "address",
            "names": "list of names",
            "networks": "list of networks",
            "keys": "list of names",
        }.get(row.kind, row.kind)
    return f"{text}, `null`" if row.optional else text


def default_words(value: Any) -> str:
    """A default as it is written in YAML."""
    if value is None or isinstance(value, bool):
        return f"`{str(value).lower().replace('none', 'null')}`"
    return f"`{value}`"


def _row(row: Setting) -> str:
    mark = " \\*" if row.channel else ""
    cells = (f"`{row.key}`{mark}", type_words(row), row.unit, default_words(row.default), row.help)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    assert set(FILES) >= {row.file for row in TABLE}
    main(sys.argv[1:])
