"""What makes docs/ a site: README.md is its front page, and what the pages link to outside of docs/ is in it too.

mkdocs calls the functions whose names begin with `on_` (mkdocs.yml).
"""

import json
import os
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"(?<=\]\()(?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?(?=\))")
CODE = re.compile(r"`[^`]+`")
LANGUAGES = {
    ".py": "python",
    ".html": "html",
    ".avsc": "json",
    ".txt": "text",
    ".yaml": "yaml",
    ".js": "js",
    ".md": "text",
}
UNSEARCHED = "---\nsearch: {exclude: true}\n---\n"
# Folders of the repository that have a page of their own.
FOLDERS = {"docs/adr": "adr/index.md"}


def decisions() -> list[str]:
    """The pages of docs/adr, in order."""
    return sorted(f"adr/{path.name}" for path in (ROOT / "docs/adr").glob("[0-9]*.md"))


def on_config(config: Any) -> Any:
    """Have the decisions in the navigation, those of tomorrow too."""
    (group,) = (entry["Decisions"] for entry in config.nav if "Decisions" in entry)
    group[1:] = decisions()
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add what is made: the front page, the list of decisions, a page for each thing outside of docs/ that is linked to."""
    made = {"index.md": (ROOT / "README.md").read_text(encoding="utf-8"), "adr/index.md": list_of_decisions()}
    for page, text in [
        *made.items(),
        *((file.src_uri, file.content_string) for file in files.documentation_pages()),
    ]:
        for target in outside(page, text):
            made.update(pages_of(target))
    for name, text in made.items():
        if name.startswith("source/"):
            text = f"{UNSEARCHED}{text}"
        files.append(File.generated(config, name, content=text))
    return files


def list_of_decisions() -> str:
    """A page that names all of them."""
    lines = [
        "# Decisions",
        "",
        "Why it is built as it is: one page for each decision, in the order in which they were taken.",
        "",
    ]
    for page in decisions():
        number, _, title = (
            (ROOT / "docs" / page)
            .read_text(encoding="utf-8")
            .splitlines()[0]
            .removeprefix("# ")
            .partition(". ")
        )
        lines.append(f"{number}. [{title}]({posixpath.basename(page)})")
    return "\n".join(lines) + "\n"


def source_of(page: str) -> str:
    """The file of the repository that a page is made from."""
    return "README.md" if page == "index.md" else f"docs/{page}"


def outside(page: str, text: str) -> set[str]:
    """What a page links to that is neither below docs/ nor README.md, by its path in the repository."""
    found = set()
    for target, _ in LINK.findall(text):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source_of(page)), target))
        if path != "README.md" and not path.startswith("docs/") and (ROOT / path).exists():
            found.add(path)
    return found


def pages_of(path: str) -> dict[str, str]:
    """The page, or pages, that show a file or folder of the repository."""
    whole = ROOT / path
    if whole.is_file():
        text = whole.read_text(encoding="utf-8")
        if whole.suffix == ".ipynb":
            return {shown_at(path): f"# {path}\n\n{notebook(text)}"}
        return {
            shown_at(path): f"# {path}\n\n````{LANGUAGES.get(whole.suffix, 'text')}\n{text.rstrip()}\n````\n"
        }
    below = sorted(
        one
        for one in whole.rglob("*")
        if one.is_file() and one.suffix in LANGUAGES | {".ipynb": ""} and one.name != "__init__.py"
    )
    names = [one.relative_to(ROOT).as_posix() for one in below]
    made = {
        shown_at(path): f"# {path}\n\n"
        + "".join(f"* [{name}]({link(shown_at(path), shown_at(name))})\n" for name in names)
    }
    for name in names:
        made |= pages_of(name)
    return made


def notebook(text: str) -> str:
    """The cells of a notebook, without what they gave."""
    cells = ((cell["cell_type"], "".join(cell["source"])) for cell in json.loads(text)["cells"])
    return "\n\n".join(
        source if kind == "markdown" else f"```python\n{source}\n```" for kind, source in cells
    )


def shown_at(path: str) -> str:
    """The page that shows a file or folder of the repository."""
    return f"source/{path}/index.md" if (ROOT / path).is_dir() else f"source/{path}.md"


def link(page: str, target: str) -> str:
    return os.path.relpath(target, posixpath.dirname(page) or ".")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Have links lead to where things are on the site, and tables be read as they are meant."""
    here = page.file.src_uri
    if here.startswith("adr/"):
        page.meta["search"] = {"boost": 0.5}  # what is comes before why it is so
    if here.startswith("source/") or here == "adr/index.md":
        return markdown

    def moved(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source_of(here)), match[1]))
        target = site_page(path)
        return match[0] if target is None else link(here, target) + (match[2] or "")

    lines = LINK.sub(moved, markdown).split("\n")
    # GitHub wants bars in code escaped within tables; here the backslash would be shown.
    return "\n".join(
        CODE.sub(lambda code: code[0].replace("\\|", "|"), line) if line.startswith("|") else line
        for line in lines
    )


def site_page(path: str) -> str | None:
    """Where on the site a file or folder of the repository is, if it is there."""
    if path == "README.md":
        return "index.md"
    if path in FOLDERS:
        return FOLDERS[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return shown_at(path) if (ROOT / path).exists() else None
