"""System calls of a relay that fail, are interrupted or take long: nothing hangs, nothing is lost without a word.

Runs in which the fault struck nothing, because the call did not come so often, do not count: others are made for them.
FAULTS=n makes it another number than 500. Goes on where it was interrupted when PROOF_STATE names a file.
"""

import os
from collections import Counter
from itertools import islice

from numbered_channel import keeping
from progress import Progress
from syscall_faults import cases, suffer

FAULTS = int(os.environ.get("FAULTS", "500"))
MOST = 3 * FAULTS  # runs


def test_each_fault(tmp_path):
    progress = Progress("faults", tmp_path, runs=0, struck=0, not_struck=0, costs={}, failed=[])
    costs = Counter(progress["costs"])
    with keeping(tmp_path) as keeper:
        for case in islice(cases(), progress["runs"], MOST):
            if progress["struck"] >= FAULTS:
                break
            found = "struck"
            try:
                cost = suffer(keeper, tmp_path / str(progress["runs"]), case)
                costs.update(cost)
                found = "struck" if cost["injected"] else "not_struck"
            except AssertionError as error:
                progress["failed"].append(f"{case}: {error}"[:500])
            progress.save(runs=progress["runs"] + 1, costs=costs, **{found: progress[found] + 1})
    progress.tell()
    assert progress["failed"] == [], "something hangs, or is lost without a word"
    assert progress["struck"] == FAULTS, f"{MOST} runs are too few"
