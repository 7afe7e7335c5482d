"""The names of the report's files."""

import hashlib
import re


def page_name(name: str) -> str:
    """The file name of the page of a campaign or run. Characters that are not safe are replaced, and then a hash is added."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return f"{plain}.html" if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:12]}.html"
