from speeddata.stripchart.rhythm import RATES_HZ, Rhythm


def run(rhythm: Rhythm, work_s: float, ticks: int) -> list[int]:
    """The rhythms that it changes to."""
    changes = []
    for _ in range(ticks):
        if rhythm.worked(work_s):
            changes.append(rhythm.tick_ms)
    return changes


def test_ticks_come_as_fast_as_the_work_lets_them() -> None:
    rhythm = Rhythm()
    assert (rhythm.tick_ms, rhythm.period_s) == (50, 0.05)
    assert run(rhythm, 0.030, 1000) == []
    assert run(rhythm, 0.060, 1000) == [100]
    assert run(rhythm, 0.400, 1000) == [200, 500]
    assert run(rhythm, 9.0, 1000) == []
    assert run(rhythm, 0.010, 1000) == [200, 100, 50]
    assert run(rhythm, 0.001, 1000) == []


def test_one_long_tick_changes_nothing() -> None:
    rhythm = Rhythm()
    for _ in range(100):
        assert not rhythm.worked(1.0)
        assert run(rhythm, 0.02, 19) == []


def test_work_that_fits_at_half_the_rate_does_not_swing() -> None:
    rhythm = Rhythm()
    assert run(rhythm, 0.045, 5000) == [100]


def test_what_is_told() -> None:
    rhythm = Rhythm()
    assert rhythm.to_json() == {"tick_ms": 1000 // RATES_HZ[0], "work_ms_p50": 0.0, "work_ms_p99": 0.0}
    for n in range(1, 101):
        rhythm.worked(n / 1e6)
    assert rhythm.to_json() == {"tick_ms": 50, "work_ms_p50": 0.051, "work_ms_p99": 0.1}
