"""System calls of a relay that fail, are interrupted or take long: nothing hangs, nothing is lost without a word.

FAULTS=n makes it another number than 500. Goes on where it was interrupted when PROOF_STATE names a file.
"""

import os
from collections import Counter
from itertools import islice

from numbered_channel import keeping
from progress import Progress
from syscall_faults import cases, suffer

FAULTS = int(os.environ.get("FAULTS", "500"))


def test_each_fault(tmp_path):
    progress = Progress("faults", tmp_path, runs=0, costs={}, failed=[])
    costs = Counter(progress["costs"])
    with keeping(tmp_path) as keeper:
        for case in islice(cases(), progress["runs"], FAULTS):
            try:
                cost = suffer(keeper, tmp_path / str(progress["runs"]), case)
                costs.update(cost, struck=cost["injected"] > 0)
            except AssertionError as error:
                progress["failed"].append(f"{case}: {error}"[:500])
            progress.save(runs=progress["runs"] + 1, costs=costs)
    progress.tell()
    assert progress["failed"] == [], "something hangs, or is lost without a word"
