"""What stands around the records of a file: notes, control records, column headers; and what the files of a run are called."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Literal

from dmail_runner.core.errors import Problem
from dmail_runner.core.template import SLOT_FORM, fill
from dmail_runner.core.values import Part
from dmail_runner.declare.campaign import Campaign, check_file_name
from dmail_runner.declare.encryption import Encryption
from dmail_runner.declare.file_format import FixedWidthFormat
from dmail_runner.declare.provider import FILE, Provider
from dmail_runner.extract.compress import SUFFIXES, Packing

ENDS = {"lf": "\n", "crlf": "\r\n"}


@dataclass(frozen=True)
class Seal:
    """Whom the files are sealed to, and the folder of their public keys."""

    encryption: Encryption
    keys: Path


@dataclass(frozen=True)
class Envelope:
    """The texts around one run's records. Rows and parts are None where they are not known when a text is written.

    `mark`: what every file's name ends with, before its suffix, where it is none to be mailed. `seal`: None leaves files plain.
    """

    campaign: Campaign
    provider: Provider
    slot: datetime
    run_id: str
    mark: str = ""
    seal: Seal | None = None

    def before(self, part: int, parts: int | None, rows: int | None) -> str:
        """What stands before the records of a part."""
        note = self.campaign.mail.file.note
        lines = [note.text] if note and note.position == "header" else []
        lines += [self.provider.records.header] if self.provider.records.header else []
        return self.lines(lines, part, parts, rows) + self.headers()

    def after(self, part: int, parts: int | None, rows: int) -> str:
        """What stands after them."""
        note = self.campaign.mail.file.note
        lines = [self.provider.records.trailer] if self.provider.records.trailer else []
        lines += [note.text] if note and note.position == "footer" else []
        return self.lines(lines, part, parts, rows)

    def lines(self, templates: list[str], part: int, parts: int | None, rows: int | None) -> str:
        """Templates as lines with the format's line end."""
        values = {**self.values(), "part": part, "parts": parts, "rows": rows}
        end = ENDS[self.provider.format.line_end]
        return "".join(line + end for template in templates for line in fill(template, values).splitlines())

    def headers(self) -> str:
        """The line of column labels, quoted as the fields are."""
        form = self.provider.format
        if isinstance(form, FixedWidthFormat) or not form.header:
            return ""
        labels = [column.label for column in self.campaign.exported]
        if form.quoting == "none":
            return form.delimiter.join(labels) + ENDS[form.line_end]
        line = io.StringIO()
        kind: Literal[0, 1] = csv.QUOTE_ALL if form.quoting == "all" else csv.QUOTE_MINIMAL
        csv.writer(line, delimiter=form.delimiter, quoting=kind, lineterminator=ENDS[form.line_end]).writerow(labels)
        return line.getvalue()

    def values(self) -> dict[str, str | int | datetime | None]:
        """What placeholders may stand for everywhere."""
        return {"campaign": self.campaign.name, "label": self.campaign.label, "slot": self.slot, "run": self.run_id}

    def base_name(self) -> str:
        """The file's path on the route, without a part's number. Raises ValueError for one that leaves the route's folder."""
        spec = self.campaign.mail.file
        path = PurePosixPath(fill(spec.name, self.values()))
        stamp = f"_{self.slot.astimezone(UTC).strftime(SLOT_FORM)}" if spec.timestamp else ""
        prefix = fill(self.provider.prefix, self.values())
        return check_file_name(str(path.parent / f"{prefix}{path.stem}{stamp}{self.mark}{path.suffix}"))

    def inner_name(self, number: int) -> str:
        """A part's path before it is compressed and sealed: numbered, if the provider wants files split, so that names sort."""
        path = PurePosixPath(self.base_name())
        return str(path.with_name(f"{path.stem}_{number:04d}{path.suffix}")) if self.provider.split else str(path)

    def part_name(self, number: int) -> str:
        """A part's path."""
        packed = SUFFIXES[self.provider.compress] if self.provider.compress else ""
        return self.inner_name(number) + packed + (self.seal.encryption.suffix if self.seal else "")

    def packing(self, number: int) -> Packing | None:
        """How a part is compressed, if the provider wants that."""
        return Packing(self.provider.compress, PurePosixPath(self.inner_name(number)).name) if self.provider.compress else None

    def side_files(self, parts: list[Part]) -> Iterator[tuple[str, str]]:
        """Names and contents of what goes beside the parts, in the order in which it is delivered; a marker comes last."""
        wanted = self.provider.side_files
        if "sha256" in wanted:
            for part in parts:
                yield f"{part.name}.sha256", f"{part.sha256}  {PurePosixPath(part.name).name}\n"
        if "manifest" in wanted:
            yield f"{self.base_name()}.json", json.dumps(self.manifest(parts), indent=2, ensure_ascii=False) + "\n"
        if "done" in wanted:
            yield f"{self.base_name()}.done", ""

    def manifest(self, parts: list[Part]) -> dict[str, object]:
        """What the files are, for the provider's programs."""
        return {
            "campaign": self.campaign.name,
            "slot": f"{self.slot.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "files": [self.file_entry(part) for part in parts],
            "format": self.provider.format.type,
            "encoding": self.provider.format.encoding,
            "columns": [column.label for column in self.campaign.exported],
        }

    def file_entry(self, part: Part) -> dict[str, object]:
        """A file in the manifest; what comes out of it if it is sealed (`plain`), and if it is compressed (`inner`)."""
        entry: dict[str, object] = {"name": part.name, "rows": part.rows, "bytes": part.bytes, "sha256": part.sha256}
        if part.plain_sha256:
            entry |= {"plain_bytes": part.plain_bytes, "plain_sha256": part.plain_sha256}
        if part.inner_sha256:
            name = PurePosixPath(self.inner_name(part.number)).name
            entry |= {"inner_name": name, "inner_bytes": part.inner_bytes, "inner_sha256": part.inner_sha256}
        return entry


def envelope_faults(campaign: Campaign, provider: Provider) -> Iterator[Problem]:
    """Placeholders that nothing fills, and names that leave the route's folder: found before anything is built."""
    split = provider.split
    trial = Envelope(campaign, provider, datetime(2027, 12, 31, 23, 59, tzinfo=UTC), "run")
    rows = None if split and split.size else 1
    key = f"exposures.{campaign.name}.config.meta.direct_mail.file"
    records = provider.records
    looks = [
        (campaign.file, f"{key}.name", trial.base_name),
        (campaign.file, f"{key}.note", lambda: trial.before(1, rows, rows) if campaign.mail.file.note else ""),
        (campaign.file, f"{key}.note", lambda: trial.after(1, rows, 1) if campaign.mail.file.note else ""),
        (FILE, f"{campaign.mail.provider}.records.header", lambda: trial.lines([records.header or ""], 1, rows, rows)),
        (FILE, f"{campaign.mail.provider}.records.trailer", lambda: trial.lines([records.trailer or ""], 1, rows, 1)),
    ]
    for file, place, look in looks:
        try:
            look()
        except ValueError as error:
            yield Problem(file, place, str(error))
