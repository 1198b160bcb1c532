"""docs/first-hour.md, as it is written. The wheel is installed alone here; `make proof PART=first_hour` compiles and installs all anew."""

import shutil
import subprocess
import sysconfig

import first_hour
import pytest
import wheel
from own_network import needs_root


@pytest.mark.slow
@pytest.mark.netns
@pytest.mark.browser
@needs_root
def test_the_first_hour_goes_as_it_is_written(tmp_path, monkeypatch):
    home = tmp_path / "home"
    made = wheel.build(tmp_path, SPEEDDATA_NO_EXTENSIONS="1")
    # pip takes the wheel alone: the dependencies are those of this environment, and so is what is compiled.
    monkeypatch.setenv("PIP_NO_DEPS", "1")

    def installed():
        packages = wheel.packages_of(home / "first-hour/sd")
        (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
        for folder, package in (("lib", "speeddata"), ("relay", "speeddata/relay")):
            for module in (wheel.ROOT / folder).glob("*.so"):
                shutil.copy(module, packages / package)
        where = [
            home / "first-hour/sd/bin/python",
            "-P",
            "-c",
            "import speeddata.relay.keeper as k; print(k.__file__)",
        ]
        told = subprocess.run(where, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        assert told.startswith(str(packages))

    said = first_hour.walk(home, installed, made)
    assert len(said) > 10
