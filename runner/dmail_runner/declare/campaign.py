"""A campaign as its author declares it: the exposure, its `direct_mail` entry, and the extract's columns."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from dmail_runner.core.kept_table import KeptTable
from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import Strict
from dmail_runner.declare.budget import Budget
from dmail_runner.declare.contract import check_pad
from dmail_runner.declare.file_spec import FileSpec
from dmail_runner.declare.materials import Material
from dmail_runner.declare.model import Model, OptOuts
from dmail_runner.declare.register import LegalBasis, Reason, Register, SuppressionList
from dmail_runner.declare.schedule import Recheck, Schedule, Share, Waves
from dmail_runner.declare.source import Source

KEY = "profile_id"

# The boolean column of the extract that is true for a seed address.
SEED = "is_seed"
# The column of the extract with the key of the piece, which differs in each slot.
PIECE = "piece_id"
# The column of the extract with the personal address of the piece, and the column of the contact history with its hash.
PURL, PURL_HASH = "purl", "purl_hash"
# The column of the extract with a picture of the address.
PURL_QR = "purl_qr"
# The columns of the extract with the country and the weight of the piece, which its postage depends on.
COUNTRY, GRAMS = "country_code", "weight_grams"
# The columns of the extract with the voucher code of the piece, and with the pool that the code is from.
VOUCHER, VOUCHER_POOL = "voucher", "voucher_pool"
OF_THE_SLOT = (PIECE, PURL, PURL_QR, VOUCHER)  # columns of the extract that differ in each slot

Status = Literal["draft", "active", "stopped"]


class Guard(Strict):
    """The figures that a run may have without being held: bounds, and the largest changes since the last delivered run."""

    min_rows: Annotated[int, Field(ge=0)] | None = None
    """The smallest number of pieces. A run with fewer pieces is held."""
    max_rows: Annotated[int, Field(ge=1)] | None = None
    """The largest number of pieces. A run with more pieces is held."""
    max_change: Annotated[Share, Field(gt=0)] | None = None
    """The largest change of the number of pieces since the last delivered run, such as `30%`. A run that changes more is held."""
    max_churn: Annotated[Share, Field(gt=0)] | None = None
    """The largest share of people who are new in the file, and of people who left it, such as `20%` of the last run's pieces."""
    max_unmatched: Annotated[Share, Field(gt=0)] = 0.5
    """The largest share of the entries of a suppression list that matched a profile in the last run and match none now."""
    max_missing_profiles: Annotated[Share, Field(gt=0)] = 0.2
    """The largest share of the profiles of the last run that are missing now, as after an export that was cut off. Differences of
    fewer than 10 profiles are accepted."""
    max_reason_change: Annotated[Share, Field(gt=0)] = 0.5
    """The largest change of an exclusion reason since the last run. With `50%`, a run is held if a reason halves or doubles. With
    `100%`, no run is held. Differences of fewer than 10 people, and differences that chance explains, are accepted."""
    near_matches: Literal["hold", "tell"] = "hold"
    """What happens if ids match only after a change that spreadsheets make, such as lost leading zeros. `hold`: the run is held.
    `tell`: the run continues with a warning, for projects whose ids legitimately differ in this way."""

    @model_validator(mode="after")
    def check_bounds(self) -> Self:
        if self.min_rows is not None and self.max_rows is not None and self.max_rows < self.min_rows:
            raise ValueError("`max_rows` is below `min_rows`")
        return self


class DirectMail(Strict):
    """The exposure's `config.meta.direct_mail`."""

    status: Status
    """`draft`: the campaign is only previewed. `active`: its slots are run. `stopped`: nothing is run."""
    provider: str
    """The provider: an entry of profiles/providers.yml."""
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    """Campaigns with a greater number run first if several are due at once, so that frequency caps keep their letters."""
    postal_class: str | None = None
    """One of the provider's `postal_classes`. A run with too few pieces for it is held."""
    purpose: Literal["marketing", "contractual"] = "marketing"
    """`marketing`, or `contractual` for letters that opt-outs of marketing do not stop."""
    legal_basis: LegalBasis | None = None
    """The legal basis of the processing, as GDPR article 6 names it. `consent` lifts some registers: docs/howto/registers.md."""
    processor: Annotated[str, Field(min_length=1)] | None = None
    """Who processes the data on your behalf, and by which contract, for the record of processing. The default is the provider."""
    exempt_from: Mapping[str, Reason] = Field(default_factory=dict)
    """Registers that need not be consulted for this campaign, by id, each with the reason, such as `own customers only`."""
    file: FileSpec
    """The extraction file."""
    schedule: Schedule | None = None
    """When the campaign is due. Without a schedule it runs only when a person runs it."""
    in_home: date | None = None
    """The day on which the last letter is to be in its letter box, such as `2027-03-12`. The provider needs `lead_times`, and a
    schedule has dates, in `at`."""
    waves: Waves | None = None
    """A mailing in several waves, which share one audience."""
    guard: Guard = Guard()
    """The figures that a run may have without being held."""
    approval: Literal["required", "four_eyes", "two"] | None = None
    """The approval that the campaign needs before it is built. `required`: by one person. `four_eyes`: by a person who has not
    written it. `two`: by two such people. profiles/policy.yml, the provider or the route may require more."""
    recheck: Recheck = Recheck()
    """How long a frozen file may wait until it is compared with the opt-outs again, and what happens then."""
    materials: tuple[Material, ...] = ()
    """What the pieces need at the mail house. A run that needs more than is there is held."""
    weight_grams: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """The weight of a piece, for the postage, if the extract has no column `weight_grams`."""
    budget: Budget | None = None
    """The purchase order that the campaign is paid from."""
    programme: str | None = None
    """An entry of profiles/programmes.yml whose budget several campaigns share, instead of `budget`."""

    @model_validator(mode="after")
    def check_budget(self) -> Self:
        if self.budget and self.programme:
            raise ValueError("has either a `budget` or a `programme`")
        return self

    @model_validator(mode="after")
    def check_in_home(self) -> Self:
        if self.in_home and self.schedule and not self.schedule.at:
            raise ValueError("`in_home` is one date: its `schedule` needs `at`, or there is none and a person runs the campaign")
        return self

    @model_validator(mode="after")
    def check_waves(self) -> Self:
        if self.waves and (self.schedule is None or self.schedule.every):
            raise ValueError("`waves` need a `schedule` with `cron` or `at`")
        dated = self.waves and any(wave.at for wave in self.waves.sizes)
        if dated and not (self.schedule and self.schedule.at and len(self.schedule.at) == 1):
            raise ValueError("waves with their own dates need a schedule with one date, in `at`")
        return self


class ColumnMeta(Strict):
    """The entries of a column's `config.meta` that the runner reads."""

    label: Annotated[str, Field(min_length=1)] | None = None
    """The column's header in the file. By default it is the column's name."""
    export: bool = True
    """`false` keeps the column out of the file."""
    width: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """The width of the column in a fixed-width file, in what the format's `width_in` counts."""
    align: Literal["left", "right"] = "left"
    """The alignment of the value in a fixed-width file."""
    pad: Annotated[str, AfterValidator(check_pad)] | None = None
    """The character that fills the column. By default it is the format's `pad`."""


@dataclass(frozen=True)
class Column:
    """One column of the extract.

    Attributes:
        name: the column's name in the model.
        label: its header in the file. It is the name unless the column is `labelled`.
        width, align, pad: its layout in fixed-width files.
    """

    name: str
    label: str
    export: bool
    width: int | None = None
    align: Literal["left", "right"] = "left"
    pad: str | None = None
    labelled: bool = True


@dataclass(frozen=True)
class Campaign:
    """One mailing programme.

    Attributes:
        file: the YAML file that declares it.
        contract: the YAML file that lists its columns.
        audience, recipients, extract: dbt's unique ids of its models.
        opt_outs: the models that the opt-out gate reads; None for a campaign that opt-outs do not stop.
        definition, sources: return the texts of everything that is built for it, by name, and the files with these texts.
        is_built_by: whether dbt has built that definition, according to the manifest of its build.
        project: the state of the project's files as they were read.
        lists: the suppression lists that the project declares.
        registers: the registers of all countries.
        held_back: whether it is a draft in this dbt target, because nobody has approved it here: see `draft_in` of policy.yml.
        hooks: the SQL that dbt runs beside its models, by the names that policy.yml allows.
        origins: the locations of the sources, by name.
        inputs: the sources with declared limits that it reads.
        records: the tables of the runner's own records that it reads, such as `contact_history`.
        vouchers: the model with the voucher codes; None for a campaign without vouchers.
        links: whether its models make personal addresses, which need a key.
        materials: the model with what mail houses have on hand; None for a campaign that declares no materials.
        address_services: the model with the answers of address services; None for a campaign that does not read it.
        windows: whether its models select by the slot's window, as those of a triggered letter do.
        kept: returns the tables above its models that can be kept between runs, in their present states.
        selection: returns what to build for some nodes if others are fresh, as arguments of dbt's `--select`.
    """

    name: str
    label: str
    description: str
    owner: str
    file: str
    mail: DirectMail
    extract: str
    recipients: str
    columns: tuple[Column, ...]
    contract: str
    audience: str = ""
    opt_outs: OptOuts | None = None
    sources: Callable[[], tuple[str, ...]] = tuple
    email: str | None = None
    definition: Callable[[], Mapping[str, str]] = dict
    is_built_by: Callable[[Mapping[str, Any]], bool] = lambda _: True
    hooks: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Source, ...] = ()
    records: frozenset[str] = frozenset()
    vouchers: Model | None = None
    links: bool = False
    materials: Model | None = None
    address_services: Model | None = None
    windows: bool = False
    lists: tuple[SuppressionList, ...] = ()
    registers: tuple[Register, ...] = ()
    project: str = ""
    held_back: bool = False
    kept: Callable[[Settings], Sequence[KeptTable]] = lambda _: ()
    selection: Callable[[Collection[str], Sequence[str]], Sequence[str]] = lambda *_: ()

    @property
    def status(self) -> Status:
        """The status in this dbt target."""
        return "draft" if self.held_back and self.mail.status == "active" else self.mail.status

    @property
    def has_seeds(self) -> bool:
        """Whether the extract has the column that marks seed addresses."""
        return any(column.name == SEED for column in self.columns)

    @property
    def exported(self) -> tuple[Column, ...]:
        """The columns of the file, in order."""
        return tuple(column for column in self.columns if column.export)
