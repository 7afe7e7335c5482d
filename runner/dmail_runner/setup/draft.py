"""The files of a new campaign, which fit the models and columns of its project."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import jinja2

from dmail_runner.core.errors import ConfigError, Problem, UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import read_yaml
from dmail_runner.declare.campaign import KEY
from dmail_runner.declare.file_format import FixedWidthFormat
from dmail_runner.declare.provider import FILE as PROVIDERS
from dmail_runner.declare.provider import find_provider
from dmail_runner.project.nodes import described_in
from dmail_runner.project.roles import Roles
from dmail_runner.setup.copy_campaign import label

STARTER = Path(__file__).parent / "starter"
# The files of the starter are SQL and YAML with dbt's braces, so only lines that begin with `%%` are statements.
LINES = jinja2.Environment(
    line_statement_prefix="%%",
    block_start_string="<%",
    block_end_string="%>",
    variable_start_string="<<",
    variable_end_string=">>",
    comment_start_string="<#",
    comment_end_string="#>",
    keep_trailing_newline=True,
    undefined=jinja2.StrictUndefined,
    autoescape=False,  # noqa: S701 - it writes SQL and YAML, not HTML
)
# The columns that a campaign of the starter prints. It needs all of these, and has another form without the optional ones.
PRINTED = (KEY, "first_name", "last_name", "company", "address_line1", "address_line2", "city", "region", "postal_code")
LISTS = ("do_not_mail", "deceased", "returned")
OPTIONAL = ("title", "last_order_at", "lifetime_value")


@dataclass(frozen=True)
class Models:
    """The models that a campaign of the starter selects from.

    Attributes:
        addresses: the name of the model with the role `addresses`.
        suppressions: the name of the model with the role `suppressions`.
        contact_history: the name of the model with the role `contact_history`.
        columns: the columns of the addresses.
    """

    addresses: str
    suppressions: str
    contact_history: str
    columns: Collection[str]


# The models that a new project has.
OWN_MODELS = Models("int_postal_addresses", "stg_suppressions", "stg_contact_history", (*PRINTED, *OPTIONAL))


def find_models(roles: Roles) -> Models:
    """The project's models for a campaign of the starter.

    The columns are those that the YAML of the addresses and of the profiles lists. Profiles have an enforced contract, and their
    addresses pass all columns on.

    Raises:
        ConfigError: if no model declares a role, or several do, or a column is missing that the campaign prints.
    """
    addresses, profiles = roles.player("addresses"), roles.player("profiles")
    columns = {name for model in (addresses, profiles) for name in roles.nodes[model.id]["columns"]}
    if missing := [name for name in PRINTED if name not in columns]:
        key = f"models.{profiles.name}.columns"
        what = f"has no {', '.join(missing)}, which a new campaign prints"
        allowed = (
            "{name: " + missing[0] + ", data_type: string}, and in the model `cast(null as string)` for a column that you lack"
        )
        raise ConfigError([Problem(described_in(roles.nodes[profiles.id]), key, what, allowed)])
    return Models(addresses.name, roles.player("suppressions").name, roles.player("contact_history").name, columns)


def campaign_files(
    name: str, provider: str, models: Models, status: str = "draft", lists: Collection[str] = LISTS
) -> dict[str, str]:
    """The files of a campaign of the starter, by file name. `lists`: the suppression lists that it reads."""
    given = {
        "CAMPAIGN": name,
        "LABEL": label(name),
        "PROVIDER": provider,
        "status: draft": f"status: {status}",
        "ADDRESSES": models.addresses,
        "SUPPRESSIONS": models.suppressions,
        "CONTACT_HISTORY": models.contact_history,
    }
    return {
        filled(path.name, given): filled(LINES.from_string(path.read_text()).render(columns=models.columns, lists=lists), given)
        for path in (STARTER / "campaign").iterdir()
    }


def filled(text: str, given: Mapping[str, str]) -> str:
    """A text with its placeholders replaced."""
    return re.sub("|".join(map(re.escape, given)), lambda found: given[found[0]], text)


def pick_provider(settings: Settings) -> str:
    """The first provider that accepts the starter's columns, or else the first one. Raises UsageError if there is none."""
    names = list(read_yaml(settings.profiles_dir / "providers.yml", PROVIDERS))
    if not names:
        raise UsageError(f"{PROVIDERS} has no entry", todo="declare the mail house there first")
    return next((name for name in names if accepts_all_columns(settings, name)), names[0])


def accepts_all_columns(settings: Settings, name: str) -> bool:
    """Whether a provider has no requirements on columns. False if its declaration is wrong."""
    try:
        provider = find_provider(settings, name)
    except ConfigError:
        return False
    requirements = provider.contract or provider.columns or provider.required_one_of or provider.max_columns
    return not requirements and not isinstance(provider.format, FixedWidthFormat)
