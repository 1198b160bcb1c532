"""The wheel, compiled from the sdist alone, runs outside the repository."""

import wheel


def test_the_wheel_is_made_of_the_sdist_and_runs(tmp_path):
    built = wheel.build(tmp_path, SPEEDDATA_CFLAGS="-O0 -g0")  # it is to be complete, not fast
    wheel.check(wheel.install(built, tmp_path / "venv"), tmp_path)
