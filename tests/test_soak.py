"""A soak of some seconds, at a rate that any machine can bear. `make proof PART=soak` does so for an hour, at 80 % of the capacity."""

import pytest
import soak

SECONDS, FAULT_EVERY_S, RATE = 6.0, 1.5, 10_000.0
SEED = 2  # which has a relay killed, then the keeper, and a segment deleted


@pytest.mark.slow
@pytest.mark.alone
def test_the_books_balance_after_faults(tmp_path):
    figures = soak.run(tmp_path, SECONDS, FAULT_EVERY_S, SEED, rate=RATE)
    assert sum(figures["faults"].values()) == 3
    for books in figures["books"].values():
        assert books["archived"] > 0
        assert (books["twice"], books["unexplained"]) == (0, 0)
