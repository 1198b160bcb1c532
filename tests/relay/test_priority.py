import os
import shutil
import subprocess
import sys

import pytest

CODE = """
from speeddata.relay.priority import step_back
import os
step_back()
print(os.getpriority(os.PRIO_PROCESS, 0))
step_back()
"""


def test_a_process_leaves_the_processor_to_others() -> None:
    done = subprocess.run([sys.executable, "-P", "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout == "19\n"
    assert os.getpriority(os.PRIO_PROCESS, 0) < 19


@pytest.mark.skipif(shutil.which("ionice") is None, reason="nothing here that tells")
def test_and_the_disk() -> None:
    code = "from speeddata.relay.priority import step_back; step_back(); import subprocess; subprocess.run(['ionice'])"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("idle")
