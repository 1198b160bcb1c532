import json
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import json, resource, sys
import numpy as np
import pyarrow as pa
from speeddata.pivot.heap import keep_memory

kept = keep_memory() if {keep} else None
for _ in range(3):
    np.ones(1 << 19)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    arrays = [np.ones(1 << 19) for _ in range(4)]
    del arrays
after = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
print(json.dumps([kept, after - before, pa.default_memory_pool().backend_name]))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no mallopt")
def test_memory_that_is_freed_is_not_had_anew():
    def run(keep):
        command = [sys.executable, "-P", "-c", PROGRAM.format(keep=keep)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        return json.loads(done.stdout)

    _, without, _ = run(False)
    kept, faults, pool = run(True)
    assert (kept, pool) == (True, "system")
    assert faults < 6000 < without  # 4 MiB have 1,024 pages


def test_fault_25_the_kernel_is_told_whom_to_take_first():
    program = (
        "from pathlib import Path\n"
        "from speeddata.pivot.heap import give_way\n"
        "for score in (700, 300):\n"
        "    give_way(score)\n"
        "    print(Path('/proc/self/oom_score_adj').read_text().strip())\n"
    )
    command = [sys.executable, "-P", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["700", "700"]
