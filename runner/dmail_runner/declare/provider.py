"""Providers (mail houses): the files that each one accepts, and the route to it (`profiles/providers.yml`)."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.core.settings import Settings
from dmail_runner.core.suggest import known_names
from dmail_runner.core.yaml import Strict, load, parse, read_yaml, render
from dmail_runner.declare.contract import Contract
from dmail_runner.declare.file_format import AnyFormat, CsvFormat
from dmail_runner.declare.lead_times import LeadTimes
from dmail_runner.declare.policy import Duty
from dmail_runner.declare.recall import RecallFile
from dmail_runner.declare.schedule import Span
from dmail_runner.declare.tariff import Tariff

FILE = "profiles/providers.yml"
Compression = Literal["zip", "gzip"]
RETENTION_DAYS = 30  # how long an unfinished run is kept if the provider does not set it


# The JSON schema of what `parse_size` accepts, for editors.
SIZE = {"anyOf": [{"type": "number", "minimum": 1}, {"type": "string", "pattern": r"^\s*\d+(\.\d+)? *([KMG]?B)?\s*$"}]}
UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}


def parse_size(value: object) -> int:
    """A number of bytes, from a number or a text such as `500 MB`. Raises ValueError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) *([KMG]?B)?", str(value).strip())
    if not match or isinstance(value, bool) or float(match[1]) * UNITS[match[2] or "B"] < 1:
        raise ValueError(f"must be a number of bytes, or a size such as `500 MB`; the units are {', '.join(UNITS)}")
    return int(float(match[1]) * UNITS[match[2] or "B"])


class Split(Strict):
    """The largest size of a part, in records or in bytes."""

    rows: Annotated[int, Field(ge=1)] | None = None
    """The largest number of records in a part."""
    size: Annotated[int, BeforeValidator(parse_size), WithJsonSchema(SIZE)] | None = None
    """The largest size of a part, such as `500 MB`."""

    @model_validator(mode="after")
    def check_one(self) -> Self:
        if (self.rows is None) == (self.size is None):
            raise ValueError("needs either `rows` or `size`")
        return self


class Records(Strict):
    """The control records before and after the rows of each part."""

    header: str | None = None
    """A template of the first record of each part."""
    trailer: str | None = None
    """A template of the last record of each part."""


class PostalClass(Strict):
    """A postal rate of the provider."""

    min_pieces: Annotated[int, Field(ge=1)]
    """The smallest mailing, in pieces, that the rate applies to."""


def check_contract(name: str) -> str:
    """Validate the name of a file in `profiles/contracts`. It must not lead to another folder."""
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise ValueError("must be the name of a file in profiles/contracts: lower-case letters, digits and underscores")
    return name


class SharedContract(Contract):
    """A file of `profiles/contracts`: the defaults of every provider that refers to it."""

    format: AnyFormat = CsvFormat()
    """The format of the files."""


class Provider(Contract):
    """One mail house."""

    label: str
    """The name that people see."""
    route: str
    """The route to the provider, an entry of profiles/routes.yml."""
    format: AnyFormat = CsvFormat()
    """The format of the files."""
    prefix: str = ""
    """A template that every file name begins with."""
    split: Split | None = None
    """The largest size of a part. Without it a run has one file."""
    compress: Compression | None = None
    """Whether each file is compressed before it is encrypted. The name gets `.zip` or `.gz`."""
    records: Records = Records()
    """Control records around the rows."""
    side_files: tuple[Literal["sha256", "manifest", "done"], ...] = ()
    """Additional files, delivered after the parts: a checksum for each part, a manifest, an empty `.done` file."""
    empty: Literal["no_file", "header_only"] = "no_file"
    """What is sent if no profile is included: nothing, or a file with only a header."""
    tariff: Tariff | None = None
    """The prices that cost estimates are based on."""
    require_encryption: bool = False
    """Whether the route must encrypt the files."""
    require_approval: Duty | None = None
    """The approval that every campaign of the provider needs, as in profiles/policy.yml."""
    lead_times: LeadTimes | None = None
    """The working days for production and delivery, from which mail dates and in-home dates are computed."""
    acknowledge_within: Span | None = None
    """The time in which the mail house must report what it has received and mailed, such as `2d`. By default it need not."""
    stock_counted_within: Span | None = None
    """The age that a count of materials may have when a file is made from it, such as `14d`. By default any."""
    recall_until: Span | None = None
    """The time after the delivery in which the mail house accepts a recall, such as `6h`. By default it accepts none."""
    recall_contact: str | None = None
    """The person or the telephone number to call when a file must be stopped. It is required with `recall_until`."""
    recall_file: RecallFile | None = None
    """The file that recalls a file, delivered by the same route. Without it people are asked to call `recall_contact`."""
    retention_days: Annotated[int, Field(ge=0, le=3650)] = RETENTION_DAYS
    """The number of days after the slot for which keys must be valid, and for which the files of an unfinished run are kept."""
    history_days: Annotated[int, Field(ge=1, le=36500)] | None = None
    """The number of days that the contact history keeps who was mailed, and up to a week longer. By default it keeps all."""
    postal_classes: Mapping[str, PostalClass] = Field(default_factory=dict)
    """The provider's postal rates, by name."""
    contract: Annotated[str, AfterValidator(check_contract)] | None = None
    """A file of profiles/contracts whose values apply where this entry has none."""

    @model_validator(mode="after")
    def check_classes(self) -> Self:
        for rate in self.tariff.rates if self.tariff else ():
            for name in rate.classes:
                if name not in self.postal_classes:
                    raise ValueError(f"its tariff has a rate for {name!r}, which is not one of its `postal_classes`")
        return self

    @model_validator(mode="after")
    def check_recall(self) -> Self:
        if self.recall_until is not None and not (self.recall_contact or "").strip():
            raise ValueError("has `recall_until`, and needs `recall_contact`: whom to call after that time")
        if self.recall_until is None and self.recall_file is not None:
            raise ValueError("has `recall_file`, and needs `recall_until`: how long after the delivery it is accepted")
        return self

    def with_defaults(self, shared: SharedContract) -> Self:
        """The provider, with the values of a shared contract for every key that the entry does not set.

        Columns are merged by label: a column of the entry replaces the shared one with all its rules.
        """
        defaults = {name: getattr(shared, name) for name in shared.model_fields_set - self.model_fields_set}
        return self.model_copy(update={**defaults, "columns": {**shared.columns, **self.columns}})


def find_provider(settings: Settings, name: str) -> Provider:
    """Read one entry of `profiles/providers.yml`, with the contract that it refers to. Raises ConfigError."""
    entries = read_yaml(settings.profiles_dir / "providers.yml", FILE)
    if name not in entries:
        raise ConfigError([Problem(FILE, name, f"there is no such provider; {known_names(name, entries)}")])
    provider: Provider = load(Provider, entries[name], FILE, name)
    return provider if provider.contract is None else provider.with_defaults(find_contract(settings, provider.contract, name))


def find_contract(settings: Settings, name: str, provider: str) -> SharedContract:
    """Read a file of `profiles/contracts` for the entry `provider`, which refers to it. Raises ConfigError."""
    folder, file = settings.profiles_dir / "contracts", f"profiles/contracts/{name}.yml"
    if not (folder / f"{name}.yml").is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.yml")))
        raise ConfigError([Problem(FILE, f"{provider}.contract", f"there is no {file}", known)])
    content = {key: render(value, file, key) for key, value in read_yaml(folder / f"{name}.yml", file).items()}
    shared: SharedContract = parse(SharedContract, content, file, "")
    return shared
