"""What one step hands to the next: frozen, and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

# The reason of a row that would be printed exactly as another is; the only one that no rule in SQL gives.
IDENTICAL = "identical_row"


@dataclass(frozen=True)
class Build:
    """What dbt has built for a run: the quoted relations of the extract and of the recipients, in the warehouse.

    `profiles`, `suppressions`: who has opted out, where the project has such models. `as_of`: up to when opt-outs count,
    UTC, as a SQL timestamp's text.
    """

    extract: str
    recipients: str
    profiles: str | None = None
    suppressions: str | None = None
    as_of: str = "1970-01-01 00:00:00"


@dataclass(frozen=True)
class Place:
    """How many pieces go to a country (ISO 3166-1 alpha-2) and a region of it; an empty text is one that is not told."""

    country: str
    region: str
    pieces: int


@dataclass(frozen=True)
class Churn:
    """How many people came, and how many went, since the file of the run `against`."""

    against: str
    came: int
    went: int


@dataclass(frozen=True)
class Verdicts:
    """How many profiles were targeted, and what became of them: targeted = included + the sum of excluded.

    `seeds`: addresses beside them in the file, which count nowhere else. `places`: where the included go, as far as that is
    known. `churn`: against the file before, where there is one.
    """

    targeted: int
    included: int
    excluded: Mapping[str, int]
    seeds: int = 0
    places: tuple[Place, ...] = ()
    churn: Churn | None = None


@dataclass(frozen=True)
class Part:
    """One file of a run: its path on the route, its rows (without the header), bytes and SHA-256, the route's name.

    `side`: it tells of the others (a checksum, a manifest, a marker), and is delivered after them. `plain_…`: of a sealed file,
    what comes out of it.
    """

    number: int
    name: str
    rows: int
    bytes: int
    sha256: str
    route: str
    side: bool = False
    plain_bytes: int | None = None
    plain_sha256: str | None = None


@dataclass(frozen=True)
class Spooled:
    """A part and the local file with its bytes."""

    part: Part
    path: Path


@dataclass(frozen=True)
class Load:
    """Something that takes its time, for who watches it: so many rows of a file that is written, or bytes of one that is sent."""

    name: str
    total: int
    unit: Literal["rows", "bytes"]


# What is told of each stretch of a load.
Watch = Callable[[Load], Callable[[int], None]]


def nobody_watches(_: Load) -> Callable[[int], None]:
    return lambda _: None


@dataclass(frozen=True)
class Receipt:
    """The proof that one part was delivered.

    Attributes:
        adopted: the same bytes were there already, and nothing was sent.
        proof: our bytes were found; or the server answered that it has them; or the file has vanished, which the route declares
            to be the receipt; or a person said so.
        left: other names with the part's bytes that could not be removed from the server.

    """

    location: str
    bytes: int
    sha256: str
    adopted: bool
    proof: Literal["found", "answered", "vanished", "told"] = "found"
    left: tuple[str, ...] = ()
