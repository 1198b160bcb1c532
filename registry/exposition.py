"""Metrics as text: Prometheus's format 0.0.4, and OpenMetrics 1.0. Pure.

A scrape of ten thousand channels is to take a fraction of a second. The common library for it, which the tests read this with,
takes some times as long to write it, so that lines are put together here, in the plainest way.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["OPENMETRICS", "PLAIN", "Family", "label_text", "media_type", "write_families"]

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@dataclass
class Family:
    """All samples of one name, as lines."""

    name: str
    kind: str
    help: str
    lines: list[str]


def label_text(labels: Mapping[str, str]) -> str:
    """Labels as they are written, without the last brace, to which more may be added."""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def media_type(accept: str) -> str:
    """Which of the two formats somebody gets who accepts this."""
    return OPENMETRICS if "application/openmetrics-text" in accept else PLAIN


def write_families(families: Iterable[Family], media: str) -> str:
    """The text; families without samples are left out."""
    parts: list[str] = []
    for family in families:
        if family.lines:
            # OpenMetrics has the name of a counter without what all of them end with.
            name = family.name.removesuffix("_total") if media == OPENMETRICS else family.name
            parts += (f"# HELP {name} {family.help}\n# TYPE {name} {family.kind}\n", *family.lines)
    return "".join([*parts, "# EOF\n"] if media == OPENMETRICS else parts)


def _escaped(value: str) -> str:
    if "\\" in value or '"' in value or "\n" in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    # A lone surrogate, as names of files may have, is no text.
    return value.encode("utf-8", "replace").decode() if not value.isascii() else value
