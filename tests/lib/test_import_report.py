"""What an import says, as the page shows it."""

import contextlib
import re
import runpy
import sys
import textwrap
from pathlib import Path
from unittest import mock

from speeddata.import_csv import CsvSource
from speeddata.import_options import ImportOptions
from speeddata.import_report import found_lines

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "grid_frequency.py"


def test_the_page_shows_what_the_example_gives(tmp_path):
    """The command is in the example's help."""
    page = (ROOT / "docs" / "import.md").read_text()
    shown = page.split("$ speeddata import --dry-run Sollfrequenz.csv --zone Europe/Zurich\n")[1].split(
        "\n\n"
    )[0]
    told = runpy.run_path(str(EXAMPLE))["__doc__"]
    asked = re.search(r"Sollfrequenz.csv (--form.*?)\n\n", told, re.DOTALL)
    assert asked is not None
    path = tmp_path / "Sollfrequenz.csv"
    with mock.patch.object(sys, "argv", [str(EXAMPLE), str(path), *asked[1].replace("\\", "").split()]):
        runpy.run_path(str(EXAMPLE), run_name="__main__")
    with contextlib.closing(CsvSource(path, ImportOptions(zone="Europe/Zurich"), 100)) as source:
        found = source.examine(lambda *_: None)
    said = list(found_lines(path, found, {"Sollfrequenz": found.rows}, []))
    said[0] = said[0].removeprefix(f"{tmp_path}/")
    assert "\n".join(said).split("\n") == textwrap.dedent(shown).split("\n")
