"""What people write in YAML: taken as it is, or refused by name."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmail_runner.core.errors import ConfigError
from dmail_runner.core.yaml import parse, render
from dmail_runner.declare.file_spec import FileSpec, check_file_name
from dmail_runner.declare.route import Route, SftpRoute
from dmail_runner.declare.schedule import Schedule
from dmail_runner.project.scrub import scrub

PIN = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"


@given(
    st.text(max_size=40)
    | st.lists(st.sampled_from(["..", ".", "a", "-x", "~", "", "b.csv", "\n", "\\"]), max_size=5).map("/".join)
)
def test_an_accepted_file_name_never_leaves_its_folder(name: str) -> None:
    try:
        check_file_name(name)
    except ValueError:
        return
    path = PurePosixPath("/root/of/route") / name
    assert ".." not in path.parts
    assert path.is_relative_to("/root/of/route")
    assert path != PurePosixPath("/root/of/route")
    assert not any(ord(character) < 32 for character in name)
    assert not name.startswith("-")


@pytest.mark.parametrize("name", ["a/../b", "../b", "/a", "a//b", "./a", "-rf", "a/-b", "~root/x", "a\nb", "a\x00", "a\\b", ""])
def test_names_that_could_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"f\.yml: file\.name"):
        parse(FileSpec, {"name": name}, "f.yml", "file")


def test_environment_variables_are_the_only_jinja(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIVEN", "{{ env_var('OTHER') }}; drop table x")
    value = {"a": ["{{ env_var('GIVEN') }}", "{{env_var(\"NONE\", 'else')}}"], "b": 7, "c": "it's 100 %"}
    assert render(value, "f", "k") == {"a": ["{{ env_var('OTHER') }}; drop table x", "else"], "b": 7, "c": "it's 100 %"}
    for text in ("{{ 7 * 7 }}", "{% raw %}", "{{ env_var(GIVEN) }}", "{{ env_var('GIVEN') | upper }}"):
        with pytest.raises(ConfigError, match=r"f: k\.x: only \{\{ env_var"):
            render({"x": text}, "f", "k")
    with pytest.raises(ConfigError, match=r"f: k\.x\[0\]: the environment variable MISSING is not set"):
        render({"x": ["{{ env_var('MISSING') }}"]}, "f", "k")


def test_every_fault_of_an_entry_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        parse(Route, {"type": "sftp", "prot": 22, "port": 99999, "user": "u", "host_key": "md5:x"}, "r.yml", "acme")
    told = [str(problem) for problem in refused.value.problems]
    assert told[-1].startswith("r.yml: acme.prot: unknown key; allowed: host, port, user, password,")
    assert told[:3] == [
        "r.yml: acme.host: is required",
        "r.yml: acme.port: must be less than or equal to 65535",
        "r.yml: acme.host_key.0: must be an OpenSSH fingerprint such as SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
    ]


def test_an_sftp_route_needs_one_login() -> None:
    entry = {"type": "sftp", "host": "h", "user": "u", "host_key": PIN}
    for login in ({}, {"passphrase": "s3cret"}, {"private_key": "k", "agent": True, "password": "s3cret"}):
        with pytest.raises(ConfigError, match=r"needs (`password`|at most one of `private_key`)") as refused:
            parse(Route, entry | login, "r.yml", "acme")
        assert "s3cret" not in str(refused.value)
    route = parse(Route, entry | {"password": "s3cret"}, "r.yml", "acme")
    assert isinstance(route, SftpRoute)
    assert "s3cret" not in repr(route)


SPARK = """An error occurred while calling o53.sql.
: org.apache.spark.SparkException: Job aborted: Lost task 0.0 in stage 9.0 (TID 1): org.apache.spark.SparkException: [X] {0}
\tat org.apache.spark.scheduler.Task.run(Task.scala:141)
Driver stacktrace:
\tat org.apache.spark.util.EventLoop$$anon$1.run(EventLoop.scala:49)
Caused by: org.apache.spark.sql.catalyst.util.BadRecordException: org.apache.spark.SparkRuntimeException: {0}
\tat org.apache.spark.sql.catalyst.csv.UnivocityParser.convert(UnivocityParser.scala:366)
\t... 26 more"""


@pytest.mark.parametrize("cron", ["* * * *", "61 * * * *", "0 0 31 2 *", "@daily", "0 0 6 * * mon", ""])
def test_crons_that_are_none_are_refused(cron: str) -> None:
    with pytest.raises(ConfigError, match=r"schedule\.cron"):
        parse(Schedule, {"cron": cron}, "f.yml", "schedule")


@pytest.mark.parametrize(
    "message",
    [
        "Runtime Error in model a (models/a.sql)\n  Conversion Error: Could not convert string 'Canary' to INT32",
        'Runtime Error in model a\n  Constraint Error: Duplicate key "name: Canary" violates primary key',
        "Invalid Input Error: CSV Error on Line: 7\nOriginal Line: 12,Canary,x\nExpected Number of Columns: 20\n  file = Canary",
        # The row comes after a line break, or has some itself.
        "Invalid Input Error: CSV Error on Line: 3\nOriginal Line: \n1;Canary;x\nInvalid unicode (byte sequence mismatch) detected.",
        'Invalid Input Error: CSV Error on Line: 3\nOriginal Line: 1,"a\nCanary St",x\nValue with unterminated quote found.',
        SPARK.format("[MALFORMED_RECORD_IN_PARSING] Malformed records are detected in record parsing: [1,Canary]."),
        SPARK.format("[MALFORMED_CSV_RECORD] Malformed CSV record: 1,Canary,x"),
        SPARK.format("[CAST_INVALID_INPUT] The value 'Canary' of the type \"STRING\" cannot be cast"),
        # PostgreSQL's values may have line breaks and quotes.
        'Database Error in model a\n  null value in column "b"\n  DETAIL:  Failing row contains (1,\nHINT: Canary).\n  compiled code at a',
        'Database Error in model a\n  invalid input syntax for type integer: "a "b\nCanary" x"\n  CONTEXT:  Canary',
        "Conversion Error: invalid date\n\nLINE 3: select 'Canary'\n               ^",
    ],
)
def test_row_values_are_scrubbed(message: str) -> None:
    told = scrub(message)
    assert "Canary" not in told
    assert ("Invalid unicode" in message) == ("Invalid unicode" in told)


def test_of_sparks_trace_the_first_cause_is_told() -> None:
    assert scrub(SPARK.format("the suppression list returned is missing")) == "the suppression list returned is missing"


def test_names_of_columns_and_files_are_kept() -> None:
    message = 'Runtime Error in model a (models/a.sql)\n  Binder Error: Table "source" does not have a column named "city"'
    assert scrub(message) == message
