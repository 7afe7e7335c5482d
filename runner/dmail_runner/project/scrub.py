"""Removes the values of rows from the error messages of dbt, DuckDB, PostgreSQL and Spark."""

import re

# Errors of these kinds contain only names and files. Any other kind may quote a row.
SAFE_KINDS = {"Binder", "Catalog", "Parser", "Parsing", "Compilation", "Runtime", "IO", "Out of Memory"}
# Log lines of the Java virtual machine. dbt's results have the relevant messages.
JVM_LOG = re.compile(r"(?m)^(\d\d/\d\d/\d\d [\d:]+ (INFO|WARN|ERROR) |Setting .*log level|To adjust logging level).*$\n?")

# A row that DuckDB quotes, of one line or of several, up to what DuckDB says about it.
ROW = re.compile(
    r"(?ms)^\s*Original Line:?.*?(?=^\s*(?:Error when converting column|Expected Number of Columns: \d|Maximum line size of \d"
    r"|Invalid unicode \(byte|Value with unterminated quote found|The CSV Parser state)|\Z)"
)

# What PostgreSQL adds: the row or the key that has failed, and a value that it cannot read. Either may have several lines.
DETAIL = re.compile(r"(?ms)^\s*(?:DETAIL|CONTEXT|QUERY):.*?(?=^\s*compiled code at [^\n]*\Z|\Z)")
UNREADABLE = re.compile(
    r"(?s)(\b(?:invalid input|out of range)[^:\n]*): \".*?(?=\n\s*(?:LINE \d+:|compiled code at [^\n]*\Z)|\Z)"
)

SERVER = re.compile(r'(?s)(Unable to connect to Postgres) at ".*?": ')  # a connection string has the password


def first_cause(message: str) -> str:
    """A message of Spark without the Java stack trace.

    Returns:
        The text before the stack trace, and the first cause, without rows and values. Other messages are returned as they are.
    """
    begin = re.search(r"An error occurred while calling|(?m:^[^\n]*\b[\w.]+\.\w+(?:Exception|Error)\b)", message)
    if begin is None or not re.search(r"(?m)^\s+at [\w.$/]+\(", message):
        return message
    causes = re.findall(r"\b[a-z][\w.]*\.\w+(?:Exception|Error): (?!.*\b\w+\.\w+(?:Exception|Error): )(.+)", message)
    first = re.sub(r"\b([Rr]ecord(?:s .* parsing)?): .*", r"\1", causes[-1]) if causes else "Spark gave no reason"
    return message[: begin.start()] + re.sub(r"'[^']*'?|\"[^\"]*\"?", "(a value)", first)


def scrub(message: str) -> str:
    """A message of dbt, DuckDB, PostgreSQL or Spark without anything that may be personal data."""
    message = first_cause(re.sub(r"\x1b\[[0-9;]*m", "", message).strip())
    # The text after these words is about DuckDB's settings, and advises to disable checks.
    message = re.split(r"(?m)^\s*(?:Possible |The search space |file = )", message)[0]
    message = UNREADABLE.sub(r"\1: (a value)", DETAIL.sub("", ROW.sub("", SERVER.sub(r"\1: ", message))))
    message = re.sub(r"(?m)^\s*(LINE \d+):?.*\n?(\s*\^.*)?", "", message)
    if set(re.findall(r"\b([A-Z]\w*(?: \w+)*) Error\b", message)) - SAFE_KINDS:
        message = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", "(a value)", message)
    return "\n".join(line.rstrip() for line in message.splitlines() if line.strip())
