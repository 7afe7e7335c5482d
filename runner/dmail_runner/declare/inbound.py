"""Files that providers send back: where they are, and how they are read (`profiles/inbound.yml`)."""

import fnmatch
import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.core.redact import register_secret
from dmail_runner.core.settings import Settings
from dmail_runner.core.suggest import known_names
from dmail_runner.core.template import SLOT_FORMAT
from dmail_runner.core.yaml import ProjectPath, Strict, load, parse, read_yaml, render
from dmail_runner.declare.answers import FIELDS, ONE_OF, Kind
from dmail_runner.declare.encryption import Fingerprint
from dmail_runner.declare.file_format import check_delimiter, check_encoding
from dmail_runner.declare.file_spec import check_file_name
from dmail_runner.declare.inbound_column import Columns, Position
from dmail_runner.declare.schedule import Share, Span

FILE = "profiles/inbound.yml"
FOLDER = "inbound_layouts"


def check_pattern(value: str) -> str:
    """Validate the pattern of file names: a path whose last part may have wildcards."""
    folder, _, leaf = value.rpartition("/")
    if re.search(r"[*?\[\]]", folder):
        raise ValueError("must have wildcards in its last part only, such as returns/*.csv")
    check_file_name(re.sub(r"[*?\[\]]", "x", value))
    if not leaf:
        raise ValueError("must end with a file name or a pattern, such as returns/*.csv")
    return value


def check_layout(name: str) -> str:
    """Validate the name of a layout. It must not lead to another folder."""
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise ValueError(f"must be the name of a file in profiles/{FOLDER}: lower-case letters, digits and underscores")
    return name


class InboundCsv(Strict):
    """A file with a delimiter between the values."""

    type: Literal["csv"] = "csv"
    """A file with a delimiter between the values."""
    delimiter: Annotated[str, AfterValidator(check_delimiter)] = ","
    """The delimiter: one ASCII character."""
    header: bool = True
    """Whether the first record has the names of the columns."""
    skip: Annotated[int, Field(ge=0, le=1000)] = 0
    """The number of lines before the header."""
    encoding: Annotated[str, AfterValidator(check_encoding)] = "utf-8"
    """The text encoding."""


class Selected(Strict):
    """The lines of a fixed-width file that are rows. Other lines, such as a header, are skipped."""

    start: Position
    """The first character of the record type, from 1."""
    values: Annotated[tuple[str, ...], Field(min_length=1)]
    """The record types of rows. All have the same number of characters."""

    @model_validator(mode="after")
    def check_lengths(self) -> Self:
        if len({len(value) for value in self.values}) != 1 or "" in self.values:
            raise ValueError("needs `values` that have the same number of characters")
        return self


class InboundFixedWidth(Strict):
    """A file of columns with fixed widths."""

    type: Literal["fixed_width"]
    """A file of columns with fixed widths."""
    record_length: Position | None = None
    """The number of characters of each line. A line of another length makes the file unacceptable."""
    select: tuple[Selected, ...] = ()
    """The lines that are rows: those that meet all conditions. By default all lines are."""
    encoding: Annotated[str, AfterValidator(check_encoding)] = "utf-8"
    """The text encoding."""


InboundFormat = Annotated[InboundCsv | InboundFixedWidth, Field(discriminator="type")]


class Decryption(Strict):
    """The secret key that opens encrypted files."""

    file: ProjectPath
    """The file of the secret key. A relative path starts at the project."""
    fingerprint: Fingerprint
    """The key's fingerprint."""
    passphrase: SecretStr | None = None
    """The passphrase of the secret key."""


class AddressRequests(Strict):
    """The questions to an address service, which `dmail-runner addresses export` delivers. Its answers are the entry's files."""

    file: Annotated[str, AfterValidator(check_file_name)]
    """The file's name, or a relative path below the route's folder. The time of the export is added before its suffix."""
    route: str | None = None
    """The route, an entry of profiles/routes.yml. The default is the entry's own."""
    countries: Annotated[tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...], Field(min_length=1)]
    """The countries whose addresses are sent, ISO 3166-1 alpha-2."""
    max_age: Span
    """How long an answer may be used, such as `95d` for NCOALink. An address whose answer is older is sent again."""
    answer_within: Span = timedelta(days=14)
    """How long an answer is waited for. An address without an answer by then is sent again."""

    def stamped(self, now: datetime) -> str:
        """The file's name with a time."""
        name = PurePosixPath(self.file)
        return name.with_name(f"{name.stem}_{now.astimezone(UTC):{SLOT_FORMAT}}{name.suffix}").as_posix()


class Layout(Strict):
    """A file of `profiles/inbound_layouts`: what a kind of file looks like. Entries of inbound.yml can replace its keys."""

    kind: Kind | None = None
    """The kind of file."""
    format: InboundFormat = InboundCsv()
    """The format of the file."""
    columns: Columns = Field(default_factory=dict)
    """How each column of the kind is read, by name. docs/howto/inbound.md lists the columns of each kind."""


class Inbound(Layout):
    """The files of one kind that a route receives."""

    route: str
    """The route, an entry of profiles/routes.yml."""
    files: Annotated[str, AfterValidator(check_pattern)]
    """The files, as a path below the route's folder. Its last part may have wildcards."""
    description: str | None = None
    """What people must know about the files. The pages of results show that of responses."""
    layout: Annotated[str, AfterValidator(check_layout)] | None = None
    """A file of profiles/inbound_layouts whose values apply where this entry has none."""
    marker: str | None = None
    """The name of the file that says that another one is complete, such as `{name}.done`. Without it, no file is read."""
    compress: Literal["gzip"] | None = None
    """How the files are compressed."""
    decrypt: Decryption | None = None
    """The key that opens the files. Files that are not encrypted to it are then put aside."""
    afterwards: Literal["leave", "remove", "move"] = "leave"
    """What happens to a file when it is stored. Files that are put aside are always left."""
    move_to: Annotated[str, AfterValidator(check_file_name)] | None = None
    """For `afterwards: move`: the folder below the route's."""
    every: Span = timedelta(minutes=15)
    """How often `serve` and `run --due` look for new files."""
    max_bad_rows: Share = 0.0
    """The share of rows that may be unacceptable. They are left out and counted. A file with more of them is put aside."""
    requests: AddressRequests | None = None
    """For `kind: address_updates`: what is sent to the service. Its files must have the columns `profile_id` and `request_id`."""
    retention_days: Annotated[int, Field(ge=1, le=36500)] | None = None
    """The number of days that the content is kept. By default it is kept, because returned mail suppresses addresses."""

    @model_validator(mode="after")
    def check_way(self) -> Self:
        if (self.afterwards == "move") != (self.move_to is not None):
            raise ValueError("needs `move_to` with `afterwards: move`, and only then")
        if self.marker is not None and self.marker.count("{name}") != 1:
            raise ValueError("`marker` must hold `{name}` once, such as {name}.done")
        return self

    @property
    def what(self) -> Kind:
        """The kind, which `find_inbound` has validated."""
        assert self.kind is not None
        return self.kind

    @property
    def declared(self) -> str:
        """A hash of what decides how a file is read. Files that were put aside are tried again if it changes."""
        text = self.model_dump_json(include={"kind", "format", "columns", "compress", "decrypt", "max_bad_rows"})
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def with_defaults(self, layout: Layout) -> Self:
        """The entry, with the values of a layout for every key that it does not set. Columns are merged by name."""
        defaults = {name: getattr(layout, name) for name in layout.model_fields_set - self.model_fields_set}
        return self.model_copy(update={**defaults, "columns": {**layout.columns, **self.columns}})


def find_inbound(settings: Settings) -> dict[str, Inbound]:
    """Read `profiles/inbound.yml`. Without that file nothing is received. Raises ConfigError with every error."""
    path = settings.profiles_dir / "inbound.yml"
    if not path.is_file():
        return {}
    faults: list[Problem] = []
    found: dict[str, Inbound] = {}
    for name, entry in read_yaml(path, FILE).items():
        try:
            found[name] = find_entry(settings, name, entry)
        except ConfigError as error:
            faults.extend(error.problems)
    if faults:
        raise ConfigError(faults)
    return found


def find_entry(settings: Settings, name: str, entry: object) -> Inbound:
    """One entry, with its layout. Raises ConfigError."""
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise ConfigError([Problem(FILE, name, "must consist of lower-case letters, digits and underscores")])
    given: Inbound = load(Inbound, entry, FILE, name, settings.project_dir)
    if given.layout:
        given = given.with_defaults(find_layout(settings, given.layout, name))
    if given.decrypt and given.decrypt.passphrase:
        register_secret(given.decrypt.passphrase.get_secret_value())
    if faults := list(column_faults(name, given)):
        raise ConfigError(faults)
    return given


def find_layout(settings: Settings, name: str, entry: str) -> Layout:
    """Read a file of `profiles/inbound_layouts` for an entry that refers to it. Raises ConfigError."""
    folder, file = settings.profiles_dir / FOLDER, f"profiles/{FOLDER}/{name}.yml"
    if not (folder / f"{name}.yml").is_file():
        known = {path.stem for path in folder.glob("*.yml")}
        raise ConfigError([Problem(FILE, f"{entry}.layout", f"there is no {file}; {known_names(name, known)}")])
    content = {key: render(value, file, key) for key, value in read_yaml(folder / f"{name}.yml", file).items()}
    layout: Layout = parse(Layout, content, file, "")
    return layout


def column_faults(name: str, given: Inbound) -> list[Problem]:
    """The errors of an entry that its kind decides: unknown, missing and contradictory columns."""
    if given.kind is None:
        return [Problem(FILE, f"{name}.kind", "is required", ", ".join(FIELDS))]
    fields, faults = FIELDS[given.kind], []
    for column, read in given.columns.items():
        key = f"{name}.columns.{column}"
        if column not in fields:
            faults.append(Problem(FILE, key, f"{given.kind} has no such column", ", ".join(fields)))
            continue
        wrong = {"header", "position"} if given.format.type == "fixed_width" else {"start"}
        wrong |= {"header"} if isinstance(given.format, InboundCsv) and not given.format.header else set()
        wrong |= {"position"} if isinstance(given.format, InboundCsv) and given.format.header else set()
        faults += [Problem(FILE, f"{key}.{word}", "is not for this format") for word in sorted(wrong) if getattr(read, word)]
        allowed = fields[column].values
        meant = [*read.codes.values(), *filter(None, (read.value, read.otherwise))]
        faults += [
            Problem(FILE, key, f"{value!r} is no value of {column}", ", ".join(allowed))
            for value in dict.fromkeys(meant)
            if allowed and value not in allowed
        ]
    missing = [column for column, field in fields.items() if field.required and column not in given.columns]
    faults += [Problem(FILE, f"{name}.columns.{column}", "is required") for column in missing]
    if given.requests and given.kind != "address_updates":
        faults.append(Problem(FILE, f"{name}.requests", "is for the kind address_updates"))
    elif given.requests:
        needed = (column for column in ("profile_id", "request_id") if column not in given.columns)
        faults += [Problem(FILE, f"{name}.columns.{column}", "is required with `requests`") for column in needed]
        if fnmatch.fnmatchcase(given.requests.stamped(datetime.now(UTC)), given.files):
            faults.append(
                Problem(FILE, f"{name}.requests.file", "is among the entry's `files`, so that it would be read as an answer")
            )
    one_of = ONE_OF.get(given.kind, ())
    if one_of and not set(one_of) & set(given.columns):
        faults.append(Problem(FILE, f"{name}.columns", f"needs one of {', '.join(one_of)}"))
    return faults
