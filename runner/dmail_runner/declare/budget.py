"""Budgets: the purchase order that campaigns are paid from, of one campaign or of a programme (`profiles/programmes.yml`)."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.core.money import Money
from dmail_runner.core.settings import Settings
from dmail_runner.core.suggest import known_names
from dmail_runner.core.yaml import Strict, load, read_yaml

FILE = "profiles/programmes.yml"
AMOUNT = r"(\d{1,15}(?:\.\d{1,2})?) *([A-Z]{3})"


def parse_amount(value: object) -> object:
    """An amount from a text such as `20000 EUR`. Raises ValueError."""
    match = re.fullmatch(AMOUNT, value.strip(), re.ASCII) if isinstance(value, str) else None
    if not match:
        raise ValueError("is not an amount with a currency, such as 20000 EUR or 19999.50 EUR")
    return Money(Decimal(match[1]), match[2])


def check_name(value: str) -> str:
    """Validate the number of an order or cost centre, which is one line of printable characters."""
    if value != value.strip() or not value.isprintable():
        raise ValueError("must be one line, without spaces around it")
    return value


Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(check_name)]
Amount = Annotated[Money, BeforeValidator(parse_amount), WithJsonSchema({"type": "string", "pattern": rf"^\s*{AMOUNT}\s*$"})]


class Budget(Strict):
    """A purchase order, and the most that its runs may cost."""

    order: Name
    """The number of the purchase order, such as `PO-4711`."""
    max: Amount
    """The most that all runs of the order may cost, such as `20000 EUR`. A run that would exceed it is held."""
    cost_centre: Name | None = None
    """The cost centre, for the reports."""


def find_programmes(settings: Settings) -> dict[str, Budget]:
    """Read `profiles/programmes.yml`. Without the file there are none. Raises ConfigError."""
    if not (settings.profiles_dir / "programmes.yml").is_file():
        return {}
    entries = read_yaml(settings.profiles_dir / "programmes.yml", FILE)
    found: dict[str, Budget] = {name: load(Budget, entry, FILE, name) for name, entry in entries.items()}
    owners: dict[str, str] = {}
    for name, budget in found.items():
        if other := owners.get(budget.order):
            raise ConfigError([Problem(FILE, f"{name}.order", f"is also the order of {other}: declare it once")])
        owners[budget.order] = name
    return found


def find_programme(settings: Settings, name: str, file: str, key: str) -> Budget:
    """The budget of a programme, which `key` of `file` names. Raises ConfigError."""
    found = find_programmes(settings)
    if name not in found:
        raise ConfigError([Problem(file, key, f"there is no programme {name!r} in {FILE}; {known_names(name, found)}")])
    return found[name]
