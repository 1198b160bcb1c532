"""Names of signals and channels made of what files have: headings, file names, values."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

__all__ = ["channel_name", "signal_names", "split_unit"]

SPELLED = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "µ": "u", "μ": "u", "°": "deg", "%": "percent"}
)  # fmt: skip
UNIT = re.compile(r"(?P<name>.*?\S)\s*(?:\[(?P<square>[^][]*)\]|\((?P<round>[^()]*)\))\s*")
MAX_CHANNEL = 64


def split_unit(heading: str) -> tuple[str, str]:
    """A heading such as "U [V]" as name and unit."""
    match = UNIT.fullmatch(heading.strip())
    if match is None:
        return heading.strip(), ""
    return match["name"], (match["square"] or match["round"] or "").strip()


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKD", text.translate(SPELLED))
    return text.encode("ascii", "ignore").decode()


def signal_names(headings: Sequence[str], taken: Iterable[str] = ("time",)) -> list[str]:
    """Names that Avro allows, one for each heading, none twice and none of those taken."""
    used = set(taken)
    names = []
    for place, heading in enumerate(headings):
        plain = re.sub(r"\W+", "_", _plain(heading), flags=re.ASCII).strip("_") or f"column{place + 1}"
        if plain[0].isdigit():
            plain = f"_{plain}"
        name, number = plain, 1
        while name in used:
            number += 1
            name = f"{plain}_{number}"
        used.add(name)
        names.append(name)
    return names


def channel_name(text: str, below: str = "") -> str:
    """A channel's name made of a file's name, or of a value below the name of the file's channel."""
    plain = re.sub(r"[^A-Za-z0-9_.]+", "-", _plain(text)).strip("-.") or "unnamed"
    name = f"{below}.{plain}" if below else plain
    name = re.sub(r"\.{2,}", ".", name).lstrip("_-.") or "unnamed"
    return name[:MAX_CHANNEL].rstrip("-.")
