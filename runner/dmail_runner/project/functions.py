"""Functions that the warehouse keeps from build to build. DuckDB prefers them to its own functions of the same name."""

import re
from collections.abc import Mapping

from dmail_runner.core.settings import Settings
from dmail_runner.project.target import find_warehouse
from dmail_runner.project.warehouse import session

CREATE = r'(?i)\bcreate\s+(or\s+replace\s+)?(macro|function)\s+(if\s+not\s+exists\s+)?(["\w]+\.)*"?{}\b'


def foreign_functions(settings: Settings, definition: Mapping[str, str]) -> list[str]:
    """The functions in the warehouse that a definition does not create: any SQL that was built there may have left them.

    Args:
        definition: the texts of everything that is built for a campaign, by name.

    Raises:
        ExtractError: if the warehouse cannot be read.
    """
    warehouse = find_warehouse(settings)
    if not warehouse.is_file or not warehouse.path.exists():
        return []
    with session(warehouse) as connection:
        kept = "from duckdb_functions() where not internal and database_name = current_database()"
        found = connection.execute(f"select distinct function_name {kept} order by 1").fetchall()
    own = {name.rpartition(".")[2] for name in definition if name.startswith("function ")}
    return [name for (name,) in found if name not in own and not creates(definition, name)]


def creates(definition: Mapping[str, str], name: str) -> bool:
    """Whether one of the texts creates a function."""
    pattern = re.compile(CREATE.format(re.escape(name)))
    return any(pattern.search(text) for text in definition.values())
