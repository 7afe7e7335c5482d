"""The command line: parses arguments, calls the other packages, prints results. Only this package catches errors."""

from dmail_runner.cli import (
    approve,
    audit,
    decide,
    due,
    inbound,
    look,
    make,
    people,
    power,
    preview,
    recall,
    replay,
    report,
    route,
    run,
    setup,
    stock,
)
from dmail_runner.cli.base import app, main

__all__ = [
    "app",
    "approve",
    "audit",
    "decide",
    "due",
    "inbound",
    "look",
    "main",
    "make",
    "people",
    "power",
    "preview",
    "recall",
    "replay",
    "report",
    "route",
    "run",
    "setup",
    "stock",
]
