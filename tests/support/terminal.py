"""What a terminal receives."""

import re

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
