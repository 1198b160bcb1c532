"""Processes killed in random order under load, few of them; the long form is `make proof PART=fates`."""

import fates


def test_fault_28_whoever_is_killed_nothing_is_lost_and_nothing_left_over(tmp_path):
    told = fates.run(tmp_path, 6, 4)
    assert sum(told["kills"].values()) == 6
