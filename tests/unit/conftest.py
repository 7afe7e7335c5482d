"""Unit tests stay quick: they use no dbt, no project built by it, and no server."""

from pathlib import Path

import pytest

ELSEWHERE = {"warm", "warm_dbt", "base", "manifest", "project", "sshd", "postgresql", "gpg"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        used = ELSEWHERE & set(getattr(item, "fixturenames", ()))
        if used and item.path.is_relative_to(here):
            raise pytest.UsageError(
                f"{item.nodeid} uses {', '.join(sorted(used))}: move it to tests/integration or tests/end_to_end"
            )
