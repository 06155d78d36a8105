"""The documentation in docs/: its contents, its pages as HTML, and a search. Knows nothing of Django."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions.tables import TableExtension
from markdown.treeprocessors import Treeprocessor

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
#: Kinds of picture that the pages show.
PICTURES: Final = frozenset({".png", ".jpg", ".webp", ".svg"})
_HEADING: Final = re.compile(r'<h([1-3]) id="([^"]+)">(.*?)</h\1>', re.DOTALL)
_TAG: Final = re.compile(r"<[^>]+>")
_ENTRY: Final = re.compile(r"^- \[(?P<title>[^\]]+)\]\((?P<path>[^)#]+)\.md\)")


class NoSuchPage(LookupError):
    """There is no page of this name in docs/."""


@dataclass(frozen=True)
class Section:
    """One heading of a page with the text below it."""

    level: int
    anchor: str
    title: str
    text: str


@dataclass(frozen=True)
class Document:
    """One page.

    Attributes:
        name: Path below docs/ without its ending, such as "reference/plans".
        title: Its first heading.
        html: The whole page.
        sections: Its headings in order, the title among them.
    """

    name: str
    title: str
    html: str
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Hit:
    """A section in which a search found every word."""

    document: Document
    section: Section
    excerpt: str


def contents() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the kinds of page with the title and the name of each page, as docs/index.md lists them."""
    kinds: list[tuple[str, list[tuple[str, str]]]] = []
    for line in (DOCS / "index.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            kinds.append((line[3:], []))
        elif kinds and (entry := _ENTRY.match(line)):
            kinds[-1][1].append((entry["title"], entry["path"]))
    return [(kind, pages) for kind, pages in kinds if pages]


def file_of(name: str) -> Path:
    """Return the Markdown file of a page; of an old name, the file that took its place.

    Raises:
        NoSuchPage: No file below docs/ has this name.
    """
    return _file(f"{name}.md", frozenset({".md"}))


def picture_file(name: str) -> Path:
    """Return the file of a picture below docs/.

    Raises:
        NoSuchPage: There is none, or it is no picture.
    """
    return _file(name, PICTURES)


def _file(name: str, endings: frozenset[str]) -> Path:
    path = _files().get(name)
    if path is None or path.suffix not in endings:
        raise NoSuchPage(name)
    return path


@lru_cache(maxsize=1)
def _files() -> dict[str, Path]:
    """Return the files below docs/ by name, so that no name from outside ever becomes a path."""
    return {path.relative_to(DOCS).as_posix(): path.resolve() for path in DOCS.rglob("*") if path.is_file()}


def name_of(path: Path) -> str:
    """Return the name of the page that a Markdown file holds."""
    return path.relative_to(DOCS).with_suffix("").as_posix()


def document(name: str, root: str = "/help/") -> Document:
    """Return a page, its links leading to other pages below `root`.

    Raises:
        NoSuchPage: No file below docs/ has this name.
    """
    path = file_of(name)
    return _render(path, path.stat().st_mtime_ns, root)


def search(words: str, root: str = "/help/", at_most: int = 30) -> list[Hit]:
    """Return the sections that hold every word, those with a word in their heading first."""
    wanted = words.lower().split()
    if not wanted:
        return []
    found = []
    for page in (document(name, root) for _, pages in contents() for _, name in pages):
        for section in page.sections:
            heading, text = section.title.lower(), section.text.lower()
            if all(word in heading or word in text for word in wanted):
                in_heading = sum(word in heading for word in wanted)
                found.append((-in_heading, Hit(page, section, _excerpt(section.text, wanted))))
    return [hit for _, hit in sorted(found, key=lambda pair: pair[0])[:at_most]]


@lru_cache(maxsize=128)
def _render(path: Path, changed: int, root: str) -> Document:
    """Render a file. `changed`, its time of change, makes an edited file a new entry of the cache."""
    name = name_of(path)
    # Without attributes of style, which the Content-Security-Policy would refuse.
    tables = TableExtension(use_align_attribute=True)
    markdown = Markdown(extensions=[tables, "fenced_code", "toc"], output_format="html")
    markdown.treeprocessors.register(_Links(markdown, name, root), "links", 5)
    html = markdown.convert(_without_api(path.read_text(encoding="utf-8")))
    # Wide code scrolls, so the keyboard must reach it.
    html = html.replace("<pre>", '<pre tabindex="0">')
    sections = tuple(_sections(html))
    title = sections[0].title if sections else name
    return Document(name, title, html, sections)


def _without_api(text: str) -> str:
    """Leave out what only the built site fills in: `::: module` and its indented options."""
    return re.sub(r"^::: .*\n(?:[ \t]+.*\n)*", "", text, flags=re.MULTILINE)


class _Links(Treeprocessor):
    """Turns links between files into links between addresses, and wraps tables so that they can scroll."""

    def __init__(self, markdown: Markdown, name: str, root: str) -> None:
        super().__init__(markdown)
        self.folder = posixpath.dirname(name)
        self.root = root

    def run(self, root: Element) -> None:
        for element in root.iter():
            if element.tag == "a":
                element.set("href", self._address(element.get("href", "")))
            elif element.tag == "img":
                element.set("src", self._address(element.get("src", "")))
        tables = [(parent, child) for parent in root.iter() for child in parent if child.tag == "table"]
        for number, (parent, table) in enumerate(tables, start=1):
            box = Element("div", {"class": "scroll whole", "tabindex": "0", "role": "region"})
            box.set("aria-label", f"Table {number}")
            parent[list(parent).index(table)] = box
            box.append(table)
            for head in table.iter("th"):
                # An empty corner of a table is no header to a screen reader.
                head.tag = "th" if head.text or len(head) else "td"

    def _address(self, link: str) -> str:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc or not parts.path:
            return link
        target = posixpath.normpath(posixpath.join(self.folder, parts.path))
        anchor = f"#{parts.fragment}" if parts.fragment else ""
        if target == "index.md":
            return f"{self.root}{anchor}"
        if target.endswith(".md"):
            return f"{self.root}{target.removesuffix('.md')}/{anchor}"
        return f"{self.root}pictures/{target}"


def _sections(html: str) -> Iterator[Section]:
    headings = list(_HEADING.finditer(html))
    ends = [heading.start() for heading in headings[1:]] + [len(html)]
    for heading, end in zip(headings, ends, strict=True):
        level, anchor, title = heading.groups()
        yield Section(int(level), anchor, _plain(title), _plain(html[heading.end() : end]))


def _plain(html: str) -> str:
    return " ".join(unescape(_TAG.sub(" ", html)).split())


def _excerpt(text: str, words: list[str]) -> str:
    """Return about 160 characters around the first word that the text holds."""
    places = [place for word in words if (place := text.lower().find(word)) >= 0]
    begin = max(0, min(places, default=0) - 60)
    piece = text[begin : begin + 160]
    if begin:
        piece = "… " + piece.partition(" ")[2]
    return piece.rpartition(" ")[0] + " …" if begin + 160 < len(text) else piece
