"""Text for the cells of CSV: none that a spreadsheet would take for a formula, and so for a command."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["plain", "plain_texts"]

# What begins a formula, with the full-width forms of it that some spreadsheets take too.
BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
PATTERN = "^[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"


def plain(text: str | None) -> str | None:
    """A text with a ' before it, where it would be a formula."""
    return f"'{text}" if text and text.startswith(BEGINNINGS) else text


def plain_texts(texts: "pa.Array[Any] | pa.ChunkedArray[Any]") -> Any:
    """The same of all texts of an Arrow array."""
    risky = pc.match_substring_regex(texts, PATTERN)
    if not pc.any(risky).as_py():
        return texts
    return pc.if_else(risky, pc.binary_join_element_wise("'", texts, ""), texts)
