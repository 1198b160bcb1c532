"""Conditions on values, `speed > 3 and mode == "run"`: read by descent, applied to columns. Nothing is ever evaluated as code.

    condition = both { "or" both }        both = single { "and" single }
    single    = "not" single | "(" condition ")" | signal "is" ["not"] "null" | signal ["not"] "in" "(" constant { "," constant } ")"
              | signal compare constant | constant compare signal
    compare   = == = != <> < <= > >=      constant = number, "text", 'text', true, false

A signal is a name, `channel.name`, or either in backticks. As in SQL, a comparison with null (and with NaN) is neither
true nor false, and so is its opposite.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from speeddata.pivot.problem import wrong
from speeddata.pivot.query_fill import there
from speeddata.table import Array

__all__ = ["Condition", "parse_where"]

MAX_TEXT = 4000
MAX_DEPTH = 50
WANTED = 'a condition such as speed > 3 and mode == "run", with and, or, not, (), in (...), is null'
TOKEN = re.compile(
    r"""\s*(?:(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"""|`(?P<quoted>[^`]+)`|(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)|(?P<sign>==|!=|<>|<=|>=|[=<>(),]))""",
    re.ASCII,
)
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "=": operator.eq, "!=": operator.ne, "<>": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
WORDS = ("and", "or", "not", "is", "in", "null", "true", "false")
# What is known of each row: that it is so, and that it is not.
Known = tuple[Array, Array]
Columns = Mapping[str, Array]


@dataclass(frozen=True)
class Condition:
    """A condition, and the signals it is about, as they were written."""

    signals: tuple[str, ...]
    _test: Callable[[Columns], Known]

    def rows(self, columns: Columns) -> Array:
        """Which rows of these columns, by the names as they were written, it holds for."""
        return self._test(columns)[0]


def parse_where(text: str) -> Condition:
    """Read a condition; Problem 400 says what is wrong, and where."""
    if len(text) > MAX_TEXT:
        raise wrong("where", text, f"at most {MAX_TEXT} characters")
    reader = _Reader(text)
    test = reader.condition(0)
    if reader.token[0] != "end":
        reader.refuse(f"{reader.token[1]!r} is too much")
    return Condition(tuple(dict.fromkeys(reader.signals)), test)


class _Reader:
    """One reading of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = self.before = 0
        self.signals: list[str] = []
        self.token = ("end", "")
        self.step()

    def refuse(self, what: str) -> NoReturn:
        error = f"{what} at character {self.before + 1}, wanted {WANTED}"
        raise wrong("where", self.text, WANTED, error)

    def step(self) -> tuple[str, str]:
        """Go on to the next token; gives the one before."""
        former, self.before = self.token, self.at
        if not self.text[self.at :].strip():
            self.token = ("end", "the end")
            return former
        match = TOKEN.match(self.text, self.at)
        if match is None:
            self.refuse(f"cannot read {self.text[self.at :].strip()[:20]!r}")
        self.at = match.end()
        kind = match.lastgroup or "end"
        word = match[kind]
        if kind == "name" and word.lower() in WORDS:
            kind, word = "word", word.lower()
        self.token = (kind, word)
        return former

    def takes(self, *words: str) -> bool:
        """Whether the next token is one of these words or signs; then it is taken."""
        if self.token[0] in ("word", "sign") and self.token[1] in words:
            self.step()
            return True
        return False

    def needs(self, word: str) -> None:
        if not self.takes(word):
            self.refuse(f"{word!r} is wanted, not {self.token[1]!r}")

    def condition(self, depth: int) -> Callable[[Columns], Known]:
        if depth > MAX_DEPTH:
            self.refuse(f"more than {MAX_DEPTH} levels")
        parts = [self.both(depth)]
        while self.takes("or"):
            parts.append(self.both(depth))
        return _any(parts) if len(parts) > 1 else parts[0]

    def both(self, depth: int) -> Callable[[Columns], Known]:
        parts = [self.single(depth)]
        while self.takes("and"):
            parts.append(self.single(depth))
        return _all(parts) if len(parts) > 1 else parts[0]

    def single(self, depth: int) -> Callable[[Columns], Known]:
        if depth > MAX_DEPTH:
            self.refuse(f"more than {MAX_DEPTH} levels")
        if self.takes("not"):
            return _not(self.single(depth + 1))
        if self.takes("("):
            made = self.condition(depth + 1)
            self.needs(")")
            return made
        if self.token[0] not in ("name", "quoted"):
            value = self.constant()
            sign = self.comparison()
            return _compare(self.signal(), MIRRORED.get(sign, sign), value)
        name = self.signal()
        if self.takes("is"):
            opposite = self.takes("not")
            self.needs("null")
            return _not(_null(name)) if opposite else _null(name)
        if self.token == ("word", "not"):
            self.step()
            return _not(self.among(name))
        if self.token == ("word", "in"):
            return self.among(name)
        return _compare(name, self.comparison(), self.constant())

    def signal(self) -> str:
        if self.token[0] not in ("name", "quoted"):
            self.refuse(f"a signal is wanted, not {self.token[1]!r}")
        self.signals.append(self.step()[1])
        return self.signals[-1]

    def comparison(self) -> str:
        if self.token[0] != "sign" or self.token[1] not in COMPARE:
            self.refuse(f"a comparison is wanted, not {self.token[1]!r}")
        return self.step()[1]

    def constant(self) -> Any:
        kind, word = self.token
        if kind == "number":
            self.step()
            return float(word) if re.search("[.eE]", word) else int(word)
        if kind == "text":
            self.step()
            return re.sub(r"\\(.)", r"\1", word[1:-1])
        if not self.takes("true", "false"):
            self.refuse(f"a number, text, true or false is wanted, not {word!r}")
        return word == "true"

    def among(self, name: str) -> Callable[[Columns], Known]:
        self.needs("in")
        self.needs("(")
        values = [self.constant()]
        while self.takes(","):
            values.append(self.constant())
        self.needs(")")
        return _any([_compare(name, "==", value) for value in values])


def _compare(name: str, sign: str, value: Any) -> Callable[[Columns], Known]:
    def test(columns: Columns) -> Known:
        column = columns[name]
        data, valid = np.ma.getdata(column), there(column)
        if data.dtype == object or isinstance(value, str) or data.ndim != 1:
            rows = [_same_kind(one, value) and bool(COMPARE[sign](one, value)) for one in data.tolist()]
            kinds = [_same_kind(one, value) for one in data.tolist()]
            return np.array(rows, np.bool_), valid & ~np.array(rows, np.bool_) & np.array(kinds, np.bool_)
        constant = _as_real(value) if data.dtype.kind in "fb" else value
        with np.errstate(over="ignore"):  # what float32 cannot hold is infinite too
            found = np.asarray(COMPARE[sign](data, constant)) & valid
        return found, valid & ~found

    return test


def _as_real(value: float) -> float:
    """A constant as float64; what that cannot hold is infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _same_kind(one: Any, value: Any) -> bool:
    """Whether two values can be compared."""
    if isinstance(value, str):
        return isinstance(one, str)
    return isinstance(one, int | float) and one == one


def _null(name: str) -> Callable[[Columns], Known]:
    def test(columns: Columns) -> Known:
        valid = there(columns[name])
        return ~valid, valid

    return test


def _not(test: Callable[[Columns], Known]) -> Callable[[Columns], Known]:
    return lambda columns: test(columns)[::-1]


def _all(tests: list[Callable[[Columns], Known]]) -> Callable[[Columns], Known]:
    def test(columns: Columns) -> Known:
        known = [one(columns) for one in tests]
        return np.logical_and.reduce([yes for yes, _ in known]), np.logical_or.reduce([no for _, no in known])

    return test


def _any(tests: list[Callable[[Columns], Known]]) -> Callable[[Columns], Known]:
    return _not(_all([_not(test) for test in tests]))
