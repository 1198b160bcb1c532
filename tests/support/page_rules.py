"""What every answer of a port must say to a browser, and what no page may hold: kept apart from the walk that looks at them all."""

import re
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

# What may stand in a file though it looks like an address: names that nothing is loaded by.
NAMES = ("http://www.w3.org/2000/svg", "http://localhost:8080", "ws://host:port")
OURS = ("127.0.0.1", "localhost")
ADDRESS = re.compile(r"\b(?:https?|wss?)://[\w.\-\[\]:/]*|[\"'`(]//[\w.\-]+")
COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)
LOADS = re.compile(r"""\b(?:from|import|url)\s*\(?\s*["'](\.{0,2}/[^"'\s]+)["']""")
LOADING = {"script": "src", "link": "href", "img": "src", "iframe": "src", "form": "action", "base": "href"}


class Page(HTMLParser):
    """What a page loads, where it leads, and what of it would be a script within it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.inline: list[str] = []
        self.styled = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.inline += [f"<{tag} {name}>" for name in given if name.startswith("on")]
        self.inline += [
            f"<{tag} {value}>" for value in given.values() if value.strip().lower().startswith("javascript:")
        ]
        self.styled |= tag == "style" or "style" in given
        if tag == "script" and not given.get("src"):
            self.inline.append("<script> without a file")
        if target := given.get(LOADING.get(tag, "")):
            self.loads.append(target)
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])


def directives(policy: str) -> dict[str, list[str]]:
    """A Content-Security-Policy by directive."""
    parts = [part.split() for part in policy.split(";")]
    return {part[0]: part[1:] for part in parts if part}


def check_headers(headers: Mapping[str, str], services: Iterable[int], *, own_style: bool) -> None:
    """What each answer says: no script but files of ours, no connection but to our ports, in no frame."""
    policy = directives(headers["Content-Security-Policy"])
    assert policy["default-src"] == ["'none'"]
    assert policy.get("script-src", ["'self'"]) == ["'self'"]
    assert policy["base-uri"] == policy["frame-ancestors"] == ["'none'"]
    assert policy["form-action"] in (["'self'"], ["'none'"])
    for name, sources in policy.items():
        unsafe = ["'unsafe-inline'"] if own_style and name == "style-src" else []
        assert [one for one in sources if "unsafe" in one] == unsafe, name
        assert not any("*" in one or one.endswith(":") for one in sources if one != "data:"), name
    for source in policy["connect-src"]:
        if source not in ("'self'", "'none'"):
            place = urlsplit(source)
            assert place.hostname in OURS, source
            assert place.port in set(services), source
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def check_page(text: str, *, own_style: bool) -> Page:
    """A page has no script within it, nor a style unless it is a user's own."""
    page = Page(text)
    assert page.inline == []
    assert own_style or not page.styled
    return page


def addresses(text: str) -> list[str]:
    """Addresses of other hosts that a file of ours names."""
    return [one for one in ADDRESS.findall(COMMENT.sub("", text)) if not one.startswith(NAMES)]


def loaded_by(path: str, text: str) -> set[str]:
    """Files that a script or style sheet loads."""
    return {urljoin(path, one) for one in LOADS.findall(text)}
