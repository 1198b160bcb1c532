"""The documents as a site: strict, and without anything from another host. tests/browser/test_docs_site.py opens it."""

import json
import re
import shutil
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from docs_site import ROOT, build

# Elements and their attributes whose target a browser fetches by itself.
LOADED = {"script": ("src",), "link": ("href",), "img": ("src", "srcset"), "iframe": ("src",), "source": ("src", "srcset"),
          "video": ("src", "poster"), "audio": ("src",), "object": ("data",), "embed": ("src",), "use": ("href",)}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return folder


class Loads(HTMLParser):
    """What a page loads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.classes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in LOADED.get(tag, ()) and value:
                self.found.append(value)
            elif name == "class" and value:
                self.classes |= set(value.split())


def elsewhere(address):
    return bool(urlsplit(address).netloc) or address.startswith("//")


def test_what_a_page_loads_is_found():
    page = (
        '<a href="https://a.b/"><script src="https://a.b/c.js"></script><link href="x.css" class="y mermaid">'
    )
    loads = Loads(page)
    assert (loads.found, loads.classes) == (["https://a.b/c.js", "x.css"], {"y", "mermaid"})
    assert [elsewhere(one) for one in (*loads.found, "//a.b/c", "../d?e")] == [True, False, True, False]


def test_no_page_loads_anything_from_another_host(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 80
    for page in pages:
        loads = Loads(page.read_text(encoding="utf-8"))
        assert [one for one in loads.found if elsewhere(one)] == [], page
        assert "mermaid" not in loads.classes, f"{page}: the theme fetches what draws it"
        # All that a page loads is there, at a place that holds in a folder too.
        files = [page.parent / urlsplit(one).path for one in loads.found if page.name != "404.html"]
        assert [file for file in files if not file.is_file()] == []
    for style in site.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert not re.search(r"@import|url\(\s*['\"]?(https?:)?//", text), style


def test_search_needs_no_server(site):
    text = (site / "search/search_index.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("var __index = "))
    places = {entry["location"].partition("#")[0] for entry in index["docs"]}
    assert {
        "index.html",
        "first-hour.html",
        "command-line.html",
        "adr/0001-folders-mapped-to-one-package.html",
    } <= places
    assert not [place for place in places if place.startswith("source/")]
    assert "assets/iframe-worker.js" in Loads((site / "index.html").read_text(encoding="utf-8")).found


def test_every_page_is_on_the_site_and_in_its_navigation(site):
    for page in (ROOT / "docs").rglob("*.md"):
        assert (site / page.relative_to(ROOT / "docs")).with_suffix(".html").is_file()
    decisions = (site / "adr/index.html").read_text(encoding="utf-8")
    for page in (ROOT / "docs/adr").glob("0*.md"):
        assert decisions.count(f'href="{page.stem}.html"') >= 2, "in the list and the navigation"


def test_what_is_outside_of_docs_is_on_the_site_too(site):
    front = (site / "index.html").read_text(encoding="utf-8")
    for target in ("install.html", "source/examples/index.html", "source/LICENSE.html", "adr/index.html"):
        assert f'href="{target}"' in front
    assert 'href="index.html#your-own-data"' in (site / "query.html").read_text(encoding="utf-8")
    assert "sendto" in (site / "source/examples/sender/sender.py.html").read_text(encoding="utf-8")
    assert "read_hdf5" in (site / "source/examples/jupyter/tag_and_export.ipynb.html").read_text(
        encoding="utf-8"
    )


def test_bars_in_tables_are_bars(site):
    for page in site.glob("*.html"):
        cells = re.findall(r"<td.*?</td>", page.read_text(encoding="utf-8"), re.DOTALL)
        assert not [cell for cell in cells if "\\|" in cell], page


def test_what_is_broken_or_forgotten_ends_the_build(tmp_path):
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tmp_path / "docs/alarms.md").write_text(
        "# Alarms\n\n[nowhere](nowhere.md) [nothing](query.md#nothing)\n"
    )
    (tmp_path / "docs/forgotten.md").write_text("# Forgotten\n")
    settings = tmp_path / "mkdocs.yml"
    hooks = [str(ROOT / "tools/docs_hooks.py")]
    settings.write_text(json.dumps({"INHERIT": str(ROOT / "mkdocs.yml"), "hooks": hooks}))
    done = build(tmp_path / "site", "--config-file", str(settings))
    assert done.returncode != 0
    for said in ("nowhere.md", "'#nothing'", "forgotten.md", "Aborted with"):
        assert said in done.stdout + done.stderr


def test_the_makefile_builds_it_as_the_tests_do():
    (line,) = [line for line in (ROOT / "Makefile").read_text().splitlines() if "mkdocs" in line]
    assert line.endswith("-m mkdocs build --strict")
