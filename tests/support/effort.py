"""How much the searches try: `make test` a part, so that it stays short, and `make soak` all."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

SOAK = float(os.environ.get("DMAIL_SOAK_SECONDS", "0"))  # for how long a search by time goes on; 0: this is no soak
ALL_FIXTURES = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def searching(few: int, many: int, **more: Any) -> Callable[[Any], Any]:
    """A property that is tried with so few examples by `make test`, and with so many by `make soak`."""

    def mark(test: Any) -> Any:
        given = {"deadline": None, "suppress_health_check": ALL_FIXTURES, **more}
        return pytest.mark.soak(settings(max_examples=many if SOAK else few, **given)(test))

    return mark
