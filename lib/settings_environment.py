"""Settings that come as variables of the environment: how they are named, and which of them are given.

SPEEDDATA_ + FILE + __ + KEY, a double underscore for each dot: SPEEDDATA_RELAY__DECIMATION__FACTOR is
relay.decimation.factor. Other variables that begin with SPEEDDATA_ have no double underscore and are no settings.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from speeddata.settings_table import FILES, rows

__all__ = ["Variable", "given", "unread", "variable"]

PREFIX = "SPEEDDATA_"
DOT = "__"


@dataclass(frozen=True)
class Variable:
    """A variable that is given: the file and key that it spells, and what is wrong with its name if they are none."""

    name: str
    text: str
    file: str = ""
    key: str = ""
    problem: str = ""


def variable(file: str, key: str) -> str:
    """The name of the variable of a setting."""
    return PREFIX + DOT.join([file, *key.split(".")]).upper()


def given(environment: Mapping[str, str]) -> list[Variable]:
    """The variables that spell settings, or would if their names were right; upper and lower case are one."""
    names = [name for name in sorted(environment) if name.upper().startswith(PREFIX) and DOT in name]
    if not names:
        return []
    known = _known()
    found = []
    first: dict[str, str] = {}
    for name in names:
        text, spelled = environment[name], name.upper()
        if spelled not in known:
            ends = [one.removeprefix(PREFIX) for one in known]  # what all begin with makes none alike
            near = difflib.get_close_matches(spelled.removeprefix(PREFIX), ends, n=1)
            advice = (
                f"did you mean {PREFIX}{near[0]}?"
                if near
                else "`speeddata config explain KEY` tells its name"
            )
            problem = f"unknown variable, wanted a known one; {advice}"
            found.append(Variable(name, text, problem=problem))
        elif first.setdefault(spelled, name) != name:
            problem = f"is the same setting as {first[spelled]}, wanted one of them"
            found.append(Variable(name, text, problem=problem))
        else:
            found.append(Variable(name, text, *known[spelled]))
    return found


def unread(environment: Mapping[str, str]) -> list[str]:
    """Warnings of variables that would be settings if their underscores were doubled."""
    suspects = [name for name in sorted(environment) if name.upper().startswith(PREFIX) and DOT not in name]
    if not suspects:
        return []
    single = {name.replace(DOT, "_"): name for name in _known()}
    return [
        f"{name}: is not read as a setting, wanted {single[name.upper()]}"
        for name in suspects
        if name.upper() in single
    ]


def _known() -> dict[str, tuple[str, str]]:
    """File and key by name of variable."""
    return {variable(file, key): (file, key) for file in FILES for key in rows(file)}
