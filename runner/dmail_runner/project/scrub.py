"""Error texts of dbt and DuckDB, without the row values that they may quote."""

import re

# Errors of these kinds speak of names and files; every other kind may quote a row.
SAFE_KINDS = {"Binder", "Catalog", "Parser", "Parsing", "Compilation", "Runtime", "IO", "Out of Memory"}
# What a Java machine tells on the way: dbt's own results say the same of what matters.
JVM_LOG = re.compile(r"(?m)^(\d\d/\d\d/\d\d [\d:]+ (INFO|WARN|ERROR) |Setting .*log level|To adjust logging level).*$\n?")


def cause(message: str) -> str:
    """A message of Spark's without Java's stack: what stands before it, and its first cause, with no row and no value in it."""
    begin = re.search(r"An error occurred while calling|(?m:^[^\n]*\b[\w.]+\.\w+(?:Exception|Error)\b)", message)
    if begin is None or not re.search(r"(?m)^\s+at [\w.$/]+\(", message):
        return message
    causes = re.findall(r"\b[a-z][\w.]*\.\w+(?:Exception|Error): (?!.*\b\w+\.\w+(?:Exception|Error): )(.+)", message)
    first = re.sub(r"\b([Rr]ecord(?:s .* parsing)?): .*", r"\1", causes[-1]) if causes else "Spark did not say why"
    return message[: begin.start()] + re.sub(r"'[^']*'?|\"[^\"]*\"?", "(a value)", first)


def scrub(message: str) -> str:
    """A message of dbt, DuckDB or Spark without what may be a person's data."""
    message = cause(re.sub(r"\x1b\[[0-9;]*m", "", message).strip())
    # What DuckDB says after this is its own settings and advice to switch checks off.
    message = re.split(r"(?m)^\s*(?:Possible |The search space |file = )", message)[0]
    message = re.sub(r"(?m)^\s*(Original Line|LINE \d+):?.*\n?(\s*\^.*)?", "", message)
    if set(re.findall(r"\b([A-Z]\w*(?: \w+)*) Error\b", message)) - SAFE_KINDS:
        message = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", "(a value)", message)
    return "\n".join(line.rstrip() for line in message.splitlines() if line.strip())
