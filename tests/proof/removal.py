"""What `tools/proof_of_tests` takes away, one by one."""

from typing import NamedTuple


class Removal(NamedTuple):
    """One protection: the text that is it, what stands there without it, and the tests that must notice.

    Where a second protection of the same file stands behind it, `also` is that: both are removed.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    also: tuple[str, str] = ("", "")
