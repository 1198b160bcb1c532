"""The codec under AddressSanitizer and UndefinedBehaviorSanitizer, with many more examples than the tests take."""

import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools" / "sanitize"


def test_the_codec_reads_and_writes_nothing_out_of_bounds():
    assert subprocess.run([sys.executable, "-P", TOOL, "long"], check=False).returncode == 0
