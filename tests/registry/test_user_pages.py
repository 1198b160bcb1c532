from pathlib import Path

import pytest

from speeddata.registry.user_pages import UserPages


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pages = tmp_path / "pages"
    (pages / "parts").mkdir(parents=True)
    (pages / "bench.html").write_text("<!doctype html><title>Bench\n &amp; stand</title>")
    (pages / "parts" / "left.htm").write_text("no title")
    (pages / "look.css").write_text("p { color: red }")
    (pages / ".hidden.html").write_text("<title>no</title>")
    return pages


def test_pages_are_listed_with_their_titles(folder: Path) -> None:
    listed = UserPages([folder]).list()
    assert [(page.path, page.title) for page in listed] == [
        ("bench.html", "Bench & stand"),
        ("parts/left.htm", "parts/left.htm"),
    ]
    assert listed[0].to_json()["url"] == "/pages/bench.html"


def test_of_two_of_one_name_the_first_folders_counts(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for name in ("bench.html", "more.html"):
        (other / name).write_text(f"<title>other {name}</title>")
    pages = UserPages([folder, other])
    assert [page.title for page in pages.list()] == ["Bench & stand", "other more.html", "parts/left.htm"]
    assert pages.find("bench.html") == (folder / "bench.html").resolve()
    assert pages.find("more.html") == (other / "more.html").resolve()


@pytest.mark.parametrize(
    "path", ["nosuch.html", "../secret", "parts", "parts/../../secret", "/etc/hostname", "a\0b", "x" * 300]
)
def test_nothing_is_found_beside_the_folder(folder: Path, path: str) -> None:
    (folder.parent / "secret").write_text("no")
    assert UserPages([folder]).find(path) is None


def test_fault_78_links_that_lead_out_are_not_followed(folder: Path) -> None:
    (folder.parent / "secret.html").write_text("<title>no</title>")
    (folder / "link.html").symlink_to(folder.parent / "secret.html")
    (folder / "all").symlink_to("/etc")
    pages = UserPages([folder])
    assert pages.find("link.html") is None
    assert pages.find("all/hostname") is None
    assert [page.path for page in pages.list()] == ["bench.html", "parts/left.htm"]


def test_the_revision_changes_with_any_file(folder: Path) -> None:
    pages = UserPages([folder])
    seen = {pages.revision()}
    assert pages.revision() in seen
    (folder / "look.css").write_text("p { color: blue }")
    seen.add(pages.revision())
    (folder / "new.html").write_text("")
    seen.add(pages.revision())
    (folder / "bench.html").unlink()
    seen.add(pages.revision())
    assert len(seen) == 4


def test_a_folder_that_there_is_not_has_no_pages(tmp_path: Path) -> None:
    pages = UserPages([tmp_path / "none"])
    assert (pages.list(), pages.find("a.html")) == ([], None)


def test_a_link_to_itself_is_no_page_and_names_are_encoded(folder: Path) -> None:
    (folder / "loop.html").symlink_to("loop.html")
    (folder / "a#b?.html").write_text("<title>odd</title>")
    pages = UserPages([folder])
    assert pages.find("loop.html") is None
    assert "/pages/a%23b%3F.html" in [page.to_json()["url"] for page in pages.list()]
