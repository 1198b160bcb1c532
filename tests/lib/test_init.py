import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import speeddata


def test_importing_is_light():
    code = "import speeddata, sys; print(sorted({'numpy', 'h5py', 'requests', 'fastavro', 'yaml'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there():
    for name in speeddata.__all__:
        assert getattr(speeddata, name) is not None
    assert set(speeddata.__all__) <= set(dir(speeddata))
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        _ = speeddata.nosuch


@pytest.mark.parametrize(
    ("module", "absent"),
    [("segment", "numpy"), ("dataset", "pandas"), ("pivot.cli", "pandas"), ("archive", "h5py")],
)
def test_modules_import_no_more_than_they_need(module, absent):
    code = f"import speeddata.{module}, sys; print({absent!r} in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False"


def test_unbuilt_tree_says_what_builds_it(tmp_path):
    (tmp_path / "plan.pyx").write_text("")
    with pytest.raises(ImportError, match="plan must be compiled first. Run: make build"):
        speeddata._check_built(tmp_path)
    (tmp_path / f"plan{EXTENSION_SUFFIXES[0]}").write_text("")
    speeddata._check_built(tmp_path)
    speeddata._check_built(Path(speeddata.__file__).parent)
