"""The tables of docs/configuration.md, made from the settings table.

`python -m speeddata.settings_docs docs/configuration.md` puts them between the page's marks.
"""

import re
import sys
from pathlib import Path
from typing import Any

from speeddata.settings_table import FILES, TABLE, Setting
from speeddata.settings_values import bound

__all__ = ["main", "table_markdown", "update"]

MARKS = re.compile(r"(<!-- table (?P<file>[a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table_markdown(file: str) -> str:
    """The settings of one file as a Markdown table."""
    lines = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
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


def _row(row: Setting) -> str:
    mark = " \\*" if row.channel else ""
    return f"| `{row.key}`{mark} | {_kind(row)} | {_default(row.default)} | {row.help} |"


def _kind(row: Setting) -> str:
    if row.choices:
        text = ", ".join(f"`{choice}`" for choice in row.choices)
    elif row.low is not None and row.high is not None:
        unit = f" {row.unit}" if row.unit else ""
        text = f"{row.kind} {bound(row.low)} to {bound(row.high)}{unit}"
    else:
        text = {"flag": "`true`, `false`", "host": "address", "names": "list of names"}.get(
            row.kind, row.kind
        )
    return f"{text}, `null`" if row.optional else text


def _default(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return f"`{str(value).lower().replace('none', 'null')}`"
    return f"`{value}`"


if __name__ == "__main__":
    assert set(FILES) >= {row.file for row in TABLE}
    main(sys.argv[1:])
