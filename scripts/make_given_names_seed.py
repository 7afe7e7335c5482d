"""Write the seed `given_names`: the first names of the 1990 census of the United States, and of Faker's European locales.

The census (public domain) is in the package names, and Faker's lists are under the MIT licence. Neither package is installed.
"""

import ast
import csv
import re
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path

SEED = Path(__file__).parent.parent / "seeds" / "given_names.csv"
PACKAGES = ("names==0.3.0", "faker==40.63.0")
LOCALES = [
    "da_DK", "de_AT", "de_CH", "de_DE", "en_GB", "en_IE", "en_IN", "en_US",
    "es_ES", "es_MX", "fi_FI", "fr_CA", "fr_FR", "it_IT", "nl_BE", "nl_NL",
    "no_NO", "pl_PL", "pt_BR", "pt_PT", "sv_SE",
]  # fmt: skip
LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"})


def fetch(folder: Path) -> None:
    """Download the packages, as they are released."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation", "--dest", str(folder)]
    subprocess.run([*command, *PACKAGES], check=True)


def census(folder: Path) -> Iterator[str]:
    """The census' names, in capitals."""
    (archive,) = folder.glob("names-*.tar.gz")
    with tarfile.open(archive) as files:
        for sex in ("female", "male"):
            file = files.extractfile(f"{archive.name.removesuffix('.tar.gz')}/names/dist.{sex}.first")
            assert file is not None
            yield from (line.split()[0].decode() for line in file)


def faker(folder: Path) -> Iterator[str]:
    """The texts of Faker's lists of first names, which are read and not run."""
    (wheel,) = folder.glob("[Ff]aker-*.whl")
    with zipfile.ZipFile(wheel) as files:
        for locale in LOCALES:
            for node in ast.walk(ast.parse(files.read(f"faker/providers/person/{locale}/__init__.py"))):
                if isinstance(node, ast.Assign) and "first_name" in ast.unparse(node.targets[0]):
                    yield from (
                        part.value
                        for part in ast.walk(node.value)
                        if isinstance(part, ast.Constant) and isinstance(part.value, str)
                    )


def bare(name: str) -> str:
    """Small letters without accents and hyphens, or an empty text if the name is not a single word."""
    letters = unicodedata.normalize("NFD", name.lower().translate(LETTERS))
    plain = "".join(sign for sign in letters if not unicodedata.combining(sign)).replace("-", "")
    return plain if re.fullmatch("[a-z]{2,}", plain) else ""


def main() -> None:
    """Write the seed."""
    with tempfile.TemporaryDirectory() as name:
        fetch(Path(name))
        names = {bare(text) for text in (*census(Path(name)), *faker(Path(name)))} - {""}
    with SEED.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([["name"], *([text] for text in sorted(names))])


if __name__ == "__main__":
    main()
