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


# Tests that notice many of them.
WALK = ("tests/lib/test_walk.py::test_rules",)
RECEIVER = ("tests/relay/test_receiver.py",)
SIGNED = ("tests/relay/test_signature.py",)
REPLAY = ("tests/relay/test_replay.py",)
RESCUE = ("tests/relay/test_rescue.py",)
WRITER = ("tests/relay/test_writer.py",)
BLOCKS = ("tests/lib/test_blocks.py",)
RETENTION = ("tests/relay/test_retention.py",)
