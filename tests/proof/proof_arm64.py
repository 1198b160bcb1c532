"""The wheel for 64-bit Arm, as a Raspberry Pi has: made by the target's Python, and the tests of codec and archive passed on it, under qemu."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_codec_and_archive_pass_their_tests_on_the_wheel_for_arm():
    subprocess.run(["sh", ROOT / "tools" / "prerequisites", "arm64"], check=True)
    suite = os.environ.get("ARM_SUITE", "bookworm")
    assert subprocess.run(["sh", ROOT / "tools" / "test_arm64", suite], check=False).returncode == 0
