"""The command line: parse, call, print, exit. Only this package catches errors."""

from runner.cli import decide, look, make, route, run
from runner.cli.base import app, main

__all__ = ["app", "decide", "look", "main", "make", "route", "run"]
