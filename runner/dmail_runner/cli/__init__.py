"""The command line: parse, call, print, exit. Only this package catches errors."""

from dmail_runner.cli import audit, decide, due, look, make, report, route, run, setup
from dmail_runner.cli.base import app, main

__all__ = ["app", "audit", "decide", "due", "look", "main", "make", "report", "route", "run", "setup"]
