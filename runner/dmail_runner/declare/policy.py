"""The project's policy: who must approve campaigns, and which SQL may run beside the models (`profiles/policy.yml`)."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema, model_validator

from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import Strict, load, read_yaml
from dmail_runner.declare.schedule import Span

FILE = "profiles/policy.yml"
Duty = Literal["one", "four_eyes", "two"]
# From the weakest to the strongest.
DUTIES: tuple[Duty, ...] = ("one", "four_eyes", "two")


def check_key(value: str) -> str:
    """Validate a public key in OpenSSH's format. Returns it without its comment."""
    words = value.split()
    if len(words) < 2 or not re.fullmatch(r"[a-z0-9@.-]+", words[0]) or not re.fullmatch(r"[A-Za-z0-9+/]{40,}={0,2}", words[1]):
        raise ValueError("must be a line of an OpenSSH public key file, such as `ssh-ed25519 AAAA... ann@laptop`")
    return " ".join(words[:2])


Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


def listed(value: object) -> object:
    """Accept a single value without a list."""
    return [value] if isinstance(value, str) else value


ONE_OR_MORE = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
Texts = Annotated[tuple[str, ...], BeforeValidator(listed), ONE_OR_MORE]
Keys = Annotated[tuple[Annotated[str, AfterValidator(check_key)], ...], BeforeValidator(listed), ONE_OR_MORE]


class Approver(Strict):
    """A person who may approve."""

    account: Texts = ()
    """The names of the person's accounts on the hosts where the command runs."""
    key: Keys = ()
    """The person's SSH public keys: lines of `id_ed25519.pub`."""
    git: Texts = ()
    """The names or e-mail addresses of the person's commits, besides the entry's name and accounts."""

    @model_validator(mode="after")
    def check_one(self) -> Self:
        if not self.account and not self.key:
            raise ValueError("needs an `account` or a `key`")
        return self


class Controller(Strict):
    """Who is responsible for the data: GDPR article 30 (1) a, LGPD article 37."""

    name: Annotated[str, Field(min_length=1)]
    """The company and its address."""
    contact: Annotated[str, Field(min_length=1)]
    """How to reach it."""
    representative: str | None = None
    """Its representative in the EU, if it needs one."""
    data_protection_officer: str | None = None
    """The data protection officer, or `encarregado`, and how to reach this person."""


class Policy(Strict):
    """The project's requirements for all campaigns. Without the file there are none."""

    require_approval: Duty | None = None
    """`one`: one approval. `four_eyes`: the approval of a person who has not written the campaign. `two`: of two such people."""
    approvers: Annotated[Mapping[str, Approver], Field(default_factory=dict)]
    """The people who may approve, by name. `four_eyes` and `two` need it. Without it, any account may approve for `one`."""
    allow_hooks: tuple[str, ...] = ()
    """The hooks that campaigns may run: models with hooks or a `sql_header`, `PACKAGE.on-run-start` and `PACKAGE.on-run-end`."""
    draft_in: tuple[str, ...] = ()
    """The dbt targets, such as `prod`, in which a campaign is a draft until it is approved there, whatever its `status` is."""
    require_registers: Literal["required", "recommended"] | None = None
    """Hold a run with people in a country whose law requires a register, unless a suppression list is a fresh copy of it.
    `recommended`: also if the trade recommends it. Without it, only lists that declare a `register` must be fresh."""
    controller: Controller | None = None
    """Who is responsible for the data, for the record of processing."""
    address_services: Mapping[Country, Mapping[str, Span]] = Field(default_factory=dict)
    """By country, the address services that must have answered for each person in a file, and the greatest age of the answer:
    `{US: {ncoa: 95d}}`. A service is an entry of profiles/inbound.yml. A run with other people is held."""
    source_folders: tuple[str, ...] | None = None
    """The folders that may contain files of sources. Relative paths start at the project. Without it, all folders are allowed."""


NO_POLICY = Policy(approvers={})


def find_policy(settings: Settings) -> Policy:
    """Read `profiles/policy.yml`. Without the file there are no requirements. Raises ConfigError."""
    path = settings.profiles_dir / "policy.yml"
    if not path.is_file():
        return NO_POLICY
    policy: Policy = load(Policy, read_yaml(path, FILE), FILE, "")
    return policy


def strongest(*duties: Duty | None) -> Duty | None:
    """The strongest of the given duties; None if all are None."""
    return max(filter(None, duties), key=DUTIES.index, default=None)
