"""The names of a run's files, and the texts around their records: notes, control records and the header."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Literal

from dmail_runner.core.errors import Problem
from dmail_runner.core.template import SLOT_FORMAT, fill
from dmail_runner.core.values import Part, SortedLevel
from dmail_runner.declare.campaign import Campaign, Column
from dmail_runner.declare.encryption import Encryption
from dmail_runner.declare.file_format import FixedWidthFormat
from dmail_runner.declare.file_spec import check_file_name
from dmail_runner.declare.provider import FILE, Provider
from dmail_runner.extract.compress import SUFFIXES, Packing

MANIFEST_VERSION = 2  # raised if a key of the manifest is changed or removed
ENDS = {"lf": "\n", "crlf": "\r\n"}


@dataclass(frozen=True)
class Seal:
    """The encryption of a route's files.

    Attributes:
        encryption: the route's encryption, with the fingerprints of the keys.
        keys: the folder of the public keys.
    """

    encryption: Encryption
    keys: Path


@dataclass(frozen=True)
class Envelope:
    """The names and texts of one run's files.

    Attributes:
        provider: its provider.
        slot: the run's slot, in UTC.
        run_id: the run.
        mark: a mark in every file's name, before its suffix, for files that must not be mailed.
        seal: how the files are encrypted; None for plain files.
        made: when the files are made, for the manifest; None for files without one.
        levels: what the post's sort plan has divided the pieces into, for the manifest.
    """

    campaign: Campaign
    provider: Provider
    slot: datetime
    run_id: str
    mark: str = ""
    seal: Seal | None = None
    made: datetime | None = None
    levels: tuple[SortedLevel, ...] = ()

    def text_before(self, part: int, parts: int | None, rows: int | None) -> str:
        """The text before the records of a part. `parts` and `rows` are None if they are not known yet."""
        note = self.campaign.mail.file.note
        lines = [note.text] if note and note.position == "header" else []
        lines += [self.provider.records.header] if self.provider.records.header else []
        return self.fill_lines(lines, part, parts, rows) + self.header()

    def text_after(self, part: int, parts: int | None, rows: int) -> str:
        """The text after the records of a part. `parts` is None if it is not known yet."""
        note = self.campaign.mail.file.note
        lines = [self.provider.records.trailer] if self.provider.records.trailer else []
        lines += [note.text] if note and note.position == "footer" else []
        return self.fill_lines(lines, part, parts, rows)

    def fill_lines(self, templates: list[str], part: int, parts: int | None, rows: int | None) -> str:
        """Fill templates, and end each line with the format's line end. Raises ValueError."""
        values = {**self.placeholders(), "part": part, "parts": parts, "rows": rows}
        end = ENDS[self.provider.format.line_end]
        return "".join(line + end for template in templates for line in fill(template, values).splitlines())

    def header(self) -> str:
        """The line of column labels, quoted like the values. It is empty if the format has no header."""
        file_format = self.provider.format
        if isinstance(file_format, FixedWidthFormat) or not file_format.header:
            return ""
        labels = [column.label for column in self.campaign.exported]
        if file_format.quoting == "none":
            return file_format.delimiter.join(labels) + ENDS[file_format.line_end]
        line = io.StringIO()
        kind: Literal[0, 1] = csv.QUOTE_ALL if file_format.quoting == "all" else csv.QUOTE_MINIMAL
        csv.writer(line, delimiter=file_format.delimiter, quoting=kind, lineterminator=ENDS[file_format.line_end]).writerow(
            labels
        )
        return line.getvalue()

    def placeholders(self) -> dict[str, str | int | datetime | None]:
        """The values of the placeholders that every template may have."""
        return {"campaign": self.campaign.name, "label": self.campaign.label, "slot": self.slot, "run": self.run_id}

    def base_name(self) -> str:
        """The file's path on the route, without the number of a part. Raises ValueError if it leaves the route's folder."""
        spec = self.campaign.mail.file
        path = PurePosixPath(fill(spec.name, self.placeholders()))
        stamp = f"_{self.slot.astimezone(UTC).strftime(SLOT_FORMAT)}" if spec.timestamp else ""
        prefix = fill(self.provider.prefix, self.placeholders())
        return check_file_name(str(path.parent / f"{prefix}{path.stem}{stamp}{self.mark}{path.suffix}"))

    def inner_name(self, number: int) -> str:
        """The path of a part before compression and encryption.

        It has a number if the provider splits files. The names sort like the parts.
        """
        path = PurePosixPath(self.base_name())
        return str(path.with_name(f"{path.stem}_{number:04d}{path.suffix}")) if self.provider.split else str(path)

    def part_name(self, number: int) -> str:
        """A part's path."""
        packed = SUFFIXES[self.provider.compress] if self.provider.compress else ""
        return self.inner_name(number) + packed + (self.seal.encryption.suffix if self.seal else "")

    def packing(self, number: int) -> Packing | None:
        """The compression of a part; None if the provider requires none."""
        return Packing(self.provider.compress, PurePosixPath(self.inner_name(number)).name) if self.provider.compress else None

    def side_files(self, parts: list[Part]) -> Iterator[tuple[str, str]]:
        """The additional files of a run as (name, content), in the order of delivery. The marker file is last."""
        kinds = self.provider.side_files
        if "sha256" in kinds:
            for part in parts:
                yield f"{part.name}.sha256", f"{part.sha256}  {PurePosixPath(part.name).name}\n"
        if "manifest" in kinds:
            yield f"{self.base_name()}.json", json.dumps(self.manifest(parts), indent=2, ensure_ascii=False) + "\n"
        if "done" in kinds:
            yield f"{self.base_name()}.done", ""

    def manifest(self, parts: list[Part]) -> dict[str, object]:
        """The content of the manifest, which describes the files to the provider's programs. MANIFEST_VERSION is its version."""
        return {
            "manifest_version": MANIFEST_VERSION,
            "run": self.run_id,
            "campaign": self.campaign.name,
            "slot": f"{self.slot.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "made": f"{self.made.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if self.made else None,
            "rows": sum(part.rows for part in parts),
            "files": [self.file_entry(part) for part in parts],
            "format": self.provider.format.model_dump(mode="json"),
            "compression": self.provider.compress,
            "encrypted": self.seal is not None,
            "columns": [self.column_entry(column) for column in self.campaign.exported],
            **self.sort_entry(),
        }

    def sort_entry(self) -> dict[str, object]:
        """The entry of the sort plan in the manifest. There is none if the file is sorted by columns."""
        plan = self.campaign.mail.file.plan
        return {"sort_plan": {"name": plan, "levels": [asdict(level) for level in self.levels]}} if plan else {}

    def column_entry(self, column: Column) -> dict[str, object]:
        """The entry of a column in the manifest. Only fixed-width files have widths."""
        layout = {"width": column.width, "align": column.align, "pad": column.pad or getattr(self.provider.format, "pad", " ")}
        return {"label": column.label, **(layout if isinstance(self.provider.format, FixedWidthFormat) else {})}

    def file_entry(self, part: Part) -> dict[str, object]:
        """The entry of one file in the manifest: its figures, and those before encryption (plain) and compression (inner).

        Its name is relative to the manifest, which lies in the same folder.
        """
        name = PurePosixPath(part.name).name
        entry: dict[str, object] = {"name": name, "rows": part.rows, "bytes": part.bytes, "sha256": part.sha256}
        if part.plain_sha256:
            entry |= {"plain_bytes": part.plain_bytes, "plain_sha256": part.plain_sha256}
        if part.inner_sha256:
            name = PurePosixPath(self.inner_name(part.number)).name
            entry |= {"inner_name": name, "inner_bytes": part.inner_bytes, "inner_sha256": part.inner_sha256}
        return entry


def envelope_faults(campaign: Campaign, provider: Provider) -> Iterator[Problem]:
    """Errors in the templates of names and texts, found by filling them with trial values."""
    split = provider.split
    trial = Envelope(campaign, provider, datetime(2027, 12, 31, 23, 59, tzinfo=UTC), "run")
    rows = None if split and split.size else 1
    key = f"exposures.{campaign.name}.config.meta.direct_mail.file"
    records = provider.records
    checks = [
        (campaign.file, f"{key}.name", trial.base_name),
        (campaign.file, f"{key}.note", lambda: trial.text_before(1, rows, rows) if campaign.mail.file.note else ""),
        (campaign.file, f"{key}.note", lambda: trial.text_after(1, rows, 1) if campaign.mail.file.note else ""),
        (FILE, f"{campaign.mail.provider}.records.header", lambda: trial.fill_lines([records.header or ""], 1, rows, rows)),
        (FILE, f"{campaign.mail.provider}.records.trailer", lambda: trial.fill_lines([records.trailer or ""], 1, rows, 1)),
    ]
    for file, path, check in checks:
        try:
            check()
        except ValueError as error:
            yield Problem(file, path, str(error))
