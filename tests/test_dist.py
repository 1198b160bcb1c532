"""The wheel: what is in it suffices to run outside the repository. `make proof PART=dist` compiles it anew, from the sdist alone."""

import shutil

import pytest
import wheel


@pytest.mark.slow
def test_the_wheel_runs_outside_the_repository(tmp_path):
    # With the modules that are compiled already: to compile them once more takes a minute.
    built = wheel.build(tmp_path, SPEEDDATA_NO_EXTENSIONS="1")
    python = wheel.install(built, tmp_path / "venv")
    for folder, package in (("lib", "speeddata"), ("relay", "speeddata/relay")):
        modules = list((wheel.ROOT / folder).glob("*.so"))
        assert modules
        for module in modules:
            shutil.copy(module, wheel.packages_of(tmp_path / "venv") / package)
    wheel.check(python, tmp_path)
