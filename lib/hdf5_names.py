"""Names of channels and signals as HDF5 takes them, and back.

In HDF5 a `/` begins another group, and a U+0000 ends a name. So `/` is written as `∕` (U+2215), and the attribute
`given_name` has the name as it was given; names that nobody can mean are refused.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from speeddata.errors import FormatError

__all__ = ["GIVEN_NAME", "NO_TEXT", "check_text", "given_name", "stored_names"]

GIVEN_NAME = "given_name"
SLASH = "\N{DIVISION SLASH}"
NO_TEXT = re.compile("[\0\ud800-\udfff]")  # what JSON lets pass, and HDF5 cannot hold


def check_text(what: str, *texts: str) -> None:
    """See that HDF5 can hold texts."""
    for text in texts:
        if NO_TEXT.search(text):
            raise FormatError(f"HDF5 cannot hold U+0000 or lone surrogates, as in the {what} {text!r}")


def stored_names(what: str, names: Iterable[str], taken: Sequence[str] = ()) -> dict[str, str]:
    """What each of some names is called in a file; what is taken, or is now like another name, gets a `_`."""
    names = list(names)
    used = {*names, *taken}
    stored = {}
    for name in names:
        check_text(f"name of a {what}", name)
        if name in ("", "."):
            raise FormatError(f"HDF5 cannot hold a {what} named {name!r}")
        place = name.replace("/", SLASH)
        while place in taken or (place != name and place in used):
            place += "_"
        used.add(place)
        stored[name] = place
    return stored


def given_name(attributes: Mapping[str, Any]) -> str | None:
    """The name that was given to what has these attributes, where it is not the one it is stored under."""
    given = attributes.get(GIVEN_NAME)
    return given if isinstance(given, str) else None
