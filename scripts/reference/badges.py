"""Badges of the README as SVG, from pyproject.toml, so that they say what is declared. They need no other server."""

import re
import tomllib
from pathlib import Path

LETTER, SPACE = 6.6, 7  # pixels: the mean width of a letter, and the space on each side of a text


def badge_files(root: Path) -> dict[str, str]:
    """The badges with their paths."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    dbt = next(wanted for wanted in project["dependencies"] if wanted.startswith("dbt-core"))
    texts = {
        "version": ("version", project["version"]),
        "license": ("license", project["license"]),
        "python": ("Python", project["requires-python"].replace(">=", "\N{GREATER-THAN OR EQUAL TO} ")),
        "dbt": ("dbt Core", re.findall(r">=([\d.]+)", dbt)[0]),
    }
    return {f"docs/pictures/badge-{name}.svg": badge(*text) for name, text in texts.items()}


def badge(label: str, value: str) -> str:
    """A label and a value side by side."""
    left, right = (round(len(text) * LETTER + 2 * SPACE) for text in (label, value))
    wide = left + right
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="20" role="img" aria-label="{label}: {value}">'
        f"<title>{label}: {value}</title>"
        f'<rect width="{wide}" height="20" rx="4" fill="#1c5a9c"/>'
        f'<path d="M4 0h{left - 4}v20H4a4 4 0 0 1-4-4V4a4 4 0 0 1 4-4z" fill="#3d444d"/>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="{left / 2:g}" y="14">{label}</text><text x="{left + right / 2:g}" y="14">{value}</text></g></svg>\n'
    )
