"""A project with runs in several states, and its report."""

import re
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SETTLED, HELD_RUN, FAILED_RUN = (f"{name}-20261102T110000Z" for name in ("renewal_notice", "spring_catalog", "loyalty_offer"))
FOLDER = "models/campaigns/spring_catalog/"


def commands(page: str) -> list[str]:
    """The commands that a page tells its reader to type."""
    found = re.findall(r'<code class="cmd"[^>]*>(.*?)</code>', page)
    return [unescape(re.sub(r"</?span>", "", text)) for text in found]


class Tables(HTMLParser):
    """The English text of a page's table rows: each is a list of cells."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open: list[bool] = []  # for each open span, whether it hides its text
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "span":
            self.open.append(("class", "pt") in attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag == "span":
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1] and not any(self.open):
            self.rows[-1][-1] += data

    def find(self, first: str) -> list[str]:
        """The row whose first cell begins with a text, without the commas of its numbers."""
        (row,) = (row for row in self.rows if row and row[0].strip().startswith(first))
        return [cell.strip().replace(",", "") for cell in row]


def pages(project: Path) -> list[Path]:
    return [path for path in (project / "site").rglob("*.html") if path.name != "lineage.html"]
