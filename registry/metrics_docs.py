"""The table of docs/metrics.md, made from the table of metrics.

`python -m speeddata.registry.metrics_docs docs/metrics.md` puts it between the page's marks.
"""

import itertools
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from speeddata.registry.metrics_table import GROUPS, LEFT_OUT, TABLE, Metric

__all__ = ["main", "table_markdown", "update"]

MARKS = re.compile(r"(<!-- metrics -->\n).*?(<!-- end -->)", re.DOTALL)


def table_markdown() -> str:
    """The metrics as a Markdown table, and what is none."""
    lines = ["| metric | type | labels | meaning | in the API |", "| --- | --- | --- | --- | --- |"]
    lines += [_row(list(metrics)) for _, metrics in itertools.groupby(TABLE, key=lambda metric: metric.name)]
    left_out = "; ".join(f"`{key}` ({why})" for key, why in LEFT_OUT.items())
    return "\n".join([*lines, "", f"Numbers of a channel that are no metrics: {left_out}."]) + "\n"


def update(page: str) -> str:
    """Give a page with its table made anew."""
    return MARKS.sub(lambda match: match[1] + table_markdown() + match[2], page)


def main(arguments: list[str]) -> None:
    """Rewrite the tables of pages."""
    for argument in arguments:
        path = Path(argument)
        path.write_text(update(path.read_text(encoding="utf-8")), encoding="utf-8")


def _row(metrics: Sequence[Metric]) -> str:
    """One name, which several numbers of the API may be told under."""
    first = metrics[0]
    labels = ", ".join(f"`{name}`" for name in first.label_names)
    keys = ", ".join(metric.where or f"`{metric.key}`" for metric in metrics)
    cells = (f"`{first.name}`", first.kind, labels, first.help, f"`{GROUPS[first.group].request}`: {keys}")
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main(sys.argv[1:])
