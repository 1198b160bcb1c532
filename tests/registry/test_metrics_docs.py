"""docs/metrics.md has every metric, and no alert is about one that there is not."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from speeddata.registry.metrics_docs import main, update
from speeddata.registry.metrics_table import NAMES

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
PATH = f"{Path(sys.executable).parent}:/usr/bin"
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_table_of_the_page_is_that_of_the_code() -> None:
    page = PAGE.read_text()
    assert update(page) == page, "run: python -m speeddata.registry.metrics_docs docs/metrics.md"
    assert all(f"| `{name}` |" in page for name in NAMES)


def test_a_page_is_rewritten_between_its_marks(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("before\n<!-- metrics -->\nold\n<!-- end -->\nafter\n")
    main([str(path)])
    assert path.read_text() == update("before\n<!-- metrics -->\n<!-- end -->\nafter\n")
    assert "\nold\n" not in path.read_text()


def test_alerts_are_about_metrics_that_there_are() -> None:
    (rules,) = [block for block in BLOCKS if block.startswith("groups:")]
    named = {name for name in re.findall(r"\bspeeddata_\w+", rules)}
    assert len(named) > 12
    assert named <= set(NAMES)


@pytest.mark.skipif(
    shutil.which("promtool", path=PATH) is None, reason="promtool is missing: make .venv/.promtool"
)
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split(":")[0])
def test_promtool_takes_the_samples(tmp_path: Path, block: str) -> None:
    path = tmp_path / "sample.yml"
    path.write_text(block)
    kind = "rules" if block.startswith("groups") else "config"
    options = ["--syntax-only"] if kind == "config" else ["--lint-fatal"]
    promtool = shutil.which("promtool", path=PATH)
    done = subprocess.run(
        [str(promtool), "check", kind, *options, str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert yaml.safe_load(block)
