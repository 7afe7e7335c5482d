"""The values that one step of a run hands to the next. All are frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from dmail_runner.core.counted import counted
from dmail_runner.core.materials import Materials
from dmail_runner.core.money import Estimate

BREACHES = "temp.dmail_breaches"  # the session's table with the rows that the contract leaves out
INCLUDED = "included"  # the verdict of people in the file
# The exclusion reason of a row that would be printed exactly like another one. It is the only reason that no SQL rule gives.
IDENTICAL = "identical_row"


@dataclass(frozen=True)
class Build:
    """The relations that dbt has built for a run, with quoted names.

    Attributes:
        extract: one row for each piece.
        recipients: one row for each targeted profile, with its verdict.
        profiles: the consent of each profile, if the project has such a model.
        suppressions: the suppression lists, if the project has such a model.
        suppressed: the profiles on the suppression lists, if the project has such a model.
        as_of: opt-outs count up to this time, a SQL timestamp in UTC.
        vouchers: the voucher codes, if the campaign has vouchers.
        materials: what mail houses have on hand, if the campaign declares materials.
        address_services: the answers of address services, if the campaign reads them.
        as_defined: whether dbt has built the definition that the runner has read before.
    """

    extract: str
    recipients: str
    profiles: str | None = None
    suppressions: str | None = None
    suppressed: str | None = None
    as_of: str = "1970-01-01 00:00:00"
    vouchers: str | None = None
    materials: str | None = None
    address_services: str | None = None
    as_defined: bool = True


@dataclass(frozen=True)
class SortedLevel:
    """A level of a post's sort plan, such as `3_digit`, with its pieces, seed addresses among them, and its containers."""

    level: str
    pieces: int
    containers: int

    def __str__(self) -> str:
        return f"{self.level}: {counted(self.pieces, 'piece')} in {counted(self.containers, 'container')}"


@dataclass(frozen=True)
class RegionCount:
    """The number of pieces that go to one region.

    Attributes:
        country: ISO 3166-1 alpha-2; empty if it is unknown or must not be shown.
        region: a region of the country; empty if it is unknown or must not be shown.
        pieces: the number of pieces.
    """

    country: str
    region: str
    pieces: int


@dataclass(frozen=True)
class Churn:
    """The difference between a run's file and the campaign's previous one.

    Attributes:
        against: the run_id of the previous file.
        came: the number of people who are only in the new file.
        went: the number of people who were only in the previous file.
    """

    against: str
    came: int
    went: int


@dataclass(frozen=True)
class ListFigures:
    """Whether a suppression list works.

    Attributes:
        name: the list.
        entries: the number of entries that apply.
        matched: the number of them that match a profile.
        near: the number of them that match none, but whose id is a profile's as a spreadsheet would change it.
        keyless: the number of entries that can match nobody: they have neither an id nor a name with an address.
    """

    name: str
    entries: int
    matched: int
    near: int = 0
    keyless: int = 0

    def __str__(self) -> str:
        near = f", {self.near:,} nearly" if self.near else ""
        keyless = f", {self.keyless:,} can match nobody" if self.keyless else ""
        matching = counted(self.entries, "entry matches", "entries match")
        return f"{self.name}: {self.matched:,} of {matching} a profile{near}{keyless}"


@dataclass(frozen=True)
class ConsentFigures:
    """The answers in a consent column of the profiles.

    Attributes:
        column: the column.
        answered: the number of profiles with an answer.
        refused: the number of profiles whose answer is no consent.
    """

    column: str
    answered: int
    refused: int


@dataclass(frozen=True)
class Baseline:
    """The figures that a run compares with the last one: all profiles, the suppression lists and the consent columns."""

    profiles: int
    lists: tuple[ListFigures, ...] = ()
    consents: tuple[ConsentFigures, ...] = ()


@dataclass(frozen=True)
class SourceFigures:
    """How new and how large a source was, as far as limits are declared for it.

    Attributes:
        name: the source and its table.
        rows: the number of rows; None if none is declared.
        loaded: the time of its newest data, in UTC; None if no limit of its age is declared.
        warning: what to report about it, if anything.
    """

    name: str
    rows: int | None = None
    loaded: datetime | None = None
    warning: str | None = None

    def __str__(self) -> str:
        rows = counted(self.rows, "row") if self.rows is not None else ""
        loaded = f"loaded {self.loaded:%Y-%m-%d %H:%M} UTC" if self.loaded else ""
        return f"{self.name}: {', '.join(filter(None, (rows, loaded)))}"


@dataclass(frozen=True)
class Verdicts:
    """The figures of a run. `targeted` is the sum of `included` and all of `excluded`.

    Attributes:
        targeted: the number of profiles in the audience.
        included: the number of profiles in the file.
        excluded: the number of profiles that are not, by exclusion reason.
        seeds: the number of seed addresses in the file. They count nowhere else.
        regions: the included profiles by region, as far as the extract has regions.
        levels: what a post's sort plan has divided the pieces into.
        churn: the difference from the previous file, if there is one.
        baseline: the figures that the next run is compared with; None if opt-outs do not stop the campaign.
        sources: the figures of the sources with declared limits.
        notes: what was unusual, as texts without personal data.
        counted_before: the people whom an earlier window of the trigger counts, by their verdict there; None without windows.
        estimate: the cost by the tariff; None without a tariff.
        materials: what the file needs at the mail house; None for a campaign that declares none.
    """

    targeted: int
    included: int
    excluded: Mapping[str, int]
    seeds: int = 0
    regions: tuple[RegionCount, ...] = ()
    levels: tuple[SortedLevel, ...] = ()
    churn: Churn | None = None
    baseline: Baseline | None = None
    sources: tuple[SourceFigures, ...] = ()
    notes: tuple[str, ...] = ()
    counted_before: Mapping[str, int] | None = None
    estimate: Estimate | None = None
    materials: Materials | None = None


@dataclass(frozen=True)
class Limit:
    """A limit that a run has crossed.

    Attributes:
        name: its key in the campaign's guard, or `min_pieces` for that of its postal class.
        figure: the figure that it limits: `included`, `came` or `went`; or `excluded:` and a reason.
        value: the limit, as a number of pieces or people.
    """

    name: str
    figure: str
    value: int

    @property
    def reason(self) -> str | None:
        """The reason whose exclusions it limits; None for another figure."""
        kind, _, reason = self.figure.partition(":")
        return reason if kind == "excluded" else None

    @property
    def label(self) -> str:
        """Its name, with the reason if it limits one."""
        return f"{self.name} ({self.reason})" if self.reason else self.name


@dataclass(frozen=True)
class Comparison:
    """The figures of a run that waits for a person, and those of the campaign's last settled run.

    Attributes:
        verdicts: the figures of what was built; None if nothing was built.
        last: the run_id of the last settled run; None if there is none.
        before: the figures of that run.
        limits: the limits that the run has crossed.
    """

    verdicts: Verdicts | None
    last: str | None = None
    before: Verdicts | None = None
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True)
class Part:
    """One file of a run.

    Attributes:
        number: the position among the run's files, from 1.
        name: the path on the route.
        rows: the number of rows, without the header.
        bytes: the size.
        sha256: the SHA-256 of the content, in hexadecimal.
        route: the name of the route.
        side: True for a file about the others (a checksum, a manifest, a marker), which is delivered after them.
        plain_bytes: the size before encryption, if the file is encrypted.
        plain_sha256: the SHA-256 before encryption, if the file is encrypted.
        inner_bytes: the size before compression, if the file is compressed.
        inner_sha256: the SHA-256 before compression, if the file is compressed.
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
    inner_bytes: int | None = None
    inner_sha256: str | None = None


@dataclass(frozen=True)
class Spooled:
    """A part and the local file that has its content."""

    part: Part
    path: Path


@dataclass(frozen=True)
class Receipt:
    """The proof that one part was delivered.

    Attributes:
        location: the address of the file.
        bytes: its size.
        sha256: its SHA-256.
        adopted: True if the file was there already, and nothing was sent.
        proof: `found` if the file was compared on the server; `answered` if the server confirmed it; `vanished` if the file has
            vanished and the route declares that to be the receipt; `told` if a person has confirmed it. The ledger stores it.
        left: other names of the file that could not be removed from the server.

    """

    location: str
    bytes: int
    sha256: str
    adopted: bool
    proof: Literal["found", "answered", "vanished", "told"] = "found"
    left: tuple[str, ...] = ()
