"""Tables that commands print: drawn for a terminal, plain columns for files, pipes, and where there are very many rows."""

import sys
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from speeddata.archive_commands import shown

__all__ = ["print_table"]

MANY = 500  # rows; to lay out more for a terminal takes seconds, and nobody reads them there
GAP = "  "


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], right: Collection[str] = ()) -> None:
    """Print rows as a table; numbers stand on the `right` of their columns. None is empty."""
    texts = [["" if value is None else shown(str(value)) for value in row] for row in rows]
    if sys.stdout.isatty() and len(texts) <= MANY:
        _draw(columns, texts, right)
    else:
        sys.stdout.writelines(_plain(columns, texts, right))


def _draw(columns: Sequence[str], texts: Iterable[Sequence[str]], right: Collection[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False, padding=(0, 1))
    for name in columns:
        table.add_column(Text(name), justify="right" if name in right else "left", overflow="fold")
    for row in texts:
        table.add_row(*[Text(text) for text in row])
    Console(file=sys.stdout).print(table)


def _plain(columns: Sequence[str], texts: Sequence[Sequence[str]], right: Collection[str]) -> Iterable[str]:
    """Lines as wide as they need to be."""
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(columns, *texts, strict=True)]
    for row in (columns, *texts):
        fills = [" " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True)]
        cells = [
            fill + text if name in right else text + fill
            for name, text, fill in zip(columns, row, fills, strict=True)
        ]
        yield GAP.join(cells).rstrip() + "\n"
