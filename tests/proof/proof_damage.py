"""Each bit of a small segment and of its index flipped, and each byte cut off: no crash, nothing wrong reads as good.

STEP=n takes every n-th damage alone. Goes on where it was interrupted when PROOF_STATE names a file.
"""

import os
from collections import Counter

import pytest
from damage_matrix import CODECS, Victim, check_damage, check_tools
from progress import Progress

STEP = int(os.environ.get("STEP", "1"))


@pytest.mark.parametrize("codec", CODECS)
def test_each_damage(tmp_path, codec):
    progress = Progress(f"damage {codec}", tmp_path, costs={})
    if not progress["costs"]:
        victim = Victim(tmp_path, codec)
        costs = Counter()
        for damage in victim.damages(STEP):
            check_tools(victim, *damage)
            costs[check_damage(victim, *damage)] += 1
        progress.save(damages=costs.total(), costs=costs)
    progress.tell(crashes=0)
    assert "misnamed" not in progress["costs"], "values read as good under a wrong name"
