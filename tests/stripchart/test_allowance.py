from speeddata.stripchart.allowance import BURST, PER_S, Allowance


def said(allowance: Allowance, length: int, now_s: float) -> int:
    """How many messages of a length are taken at one moment, of a thousand."""
    taken = 0
    while taken < 1000 and allowance.take(length, now_s):
        taken += 1
    return taken


def test_a_burst_then_so_many_a_second() -> None:
    assert said(Allowance(), 0, 5.0) == BURST
    allowance = Allowance()
    for n in range(int(10 * PER_S)):
        assert allowance.take(0, n / PER_S)
    assert said(allowance, 0, 10.0) < BURST + 2


def test_long_messages_cost_more() -> None:
    assert said(Allowance(), 64 << 10, 0.0) == BURST // 65


def test_a_page_of_many_charts_is_far_from_it() -> None:
    """Sixty charts of 32 signals each ask anew four times in a second, as when a window is resized, and report."""
    allowance = Allowance()
    for n in range(4 * 60):
        assert allowance.take(200, n / 240)
    for n in range(600):
        assert allowance.take(80, 1.0 + n)
