"""docs/first-hour.md, as it is written, in an empty environment: a wheel compiled from the sdist, and all it depends on, installed by pip."""

import first_hour
import wheel


def test_the_first_hour_from_nothing(tmp_path):
    made = wheel.build(tmp_path, SPEEDDATA_CFLAGS="-O0 -g0")  # it is to be complete, not fast
    home = tmp_path / "home"

    def installed():
        packages = wheel.packages_of(home / "first-hour/sd")
        assert (packages / "numpy").is_dir()
        assert list((packages / "speeddata/relay").glob("*.so"))

    assert len(first_hour.walk(home, installed, made)) > 10
