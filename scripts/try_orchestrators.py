"""Run the files of `dmail-runner deploy airflow` and `deploy dagster` with the real libraries.

Usage: python -m scripts.try_orchestrators AIRFLOW DAGSTER, the Pythons of two environments. In each of them a slot that is due is
delivered, and a run that is held is not a failure. In Dagster's, a run that fails is one.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scripts.compare_dbt import CAMPAIGNS, FOREIGN, PARTS, ROOT, call, copy_project

CAMPAIGN = "spring_catalog"
EXPOSURES = "models/campaigns/{0}/_{0}__exposures.yml"
CRON = 'schedule: {cron: "0 6 * * mon", timezone: America/New_York}'
HOLDING = "guard: {min_rows: 1000000}"
# Materializes the assets of a file twice, and prints what was materialized, and whether that succeeded.
DAGSTER = """
import importlib.util, json, sys
import dagster as dg
spec = importlib.util.spec_from_file_location("code", sys.argv[1])
code = importlib.util.module_from_spec(spec)
spec.loader.exec_module(code)
dg.Definitions.validate_loadable(code.definitions)
printed = []
with dg.DagsterInstance.ephemeral() as instance:
    for _ in range(2):
        done = dg.materialize([code.due], instance=instance, raise_on_error=False)
        events = done.get_asset_materialization_events()
        metadata = {event.asset_key.to_user_string(): event.materialization.metadata["state"].value for event in events}
        printed.append([done.success, metadata])
keys = sorted(key.to_user_string() for key in code.definitions.resolve_asset_graph().get_all_asset_keys())
print("RESULT", json.dumps([keys, printed]))
"""


def main() -> None:
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    airflow, dagster = (Path(path).absolute() for path in sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="dmail-orchestrators-") as temporary:
        folder = Path(temporary)
        try_airflow(airflow, folder / "airflow", make_project(folder / "airflow-delivers"), "success")
        try_airflow(airflow, folder / "airflow", make_project(folder / "airflow-holds", HOLDING), "skipped")
        try_dagster(dagster, make_project(folder / "dagster-delivers"), [[True, {CAMPAIGN: "settled"}], [True, {}]])
        try_dagster(dagster, make_project(folder / "dagster-holds", HOLDING), [[True, {CAMPAIGN: "held"}], [True, {}]])
        # The runner makes the next attempt later.
        fails = make_project(folder / "dagster-fails", route="/proc/nowhere")
        try_dagster(dagster, fails, [[False, {CAMPAIGN: "failed"}], [True, {}]])


def make_project(folder: Path, more: str = "", route: str = "outbox") -> Path:
    """The sample project with one active campaign, of which a slot is due, and with the files of both orchestrators."""
    copy_project(ROOT, folder, PARTS)
    for name in CAMPAIGNS:
        if name != CAMPAIGN:
            edit(folder / EXPOSURES.format(name), "status: active", "status: stopped")
    start = f"schedule: {{every: 6h, start: {datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}}}"
    edit(folder / EXPOSURES.format(CAMPAIGN), CRON, f"{start}\n          {more}".rstrip())
    edit(folder / "profiles/routes.yml", "path: outbox", f"path: {route}")
    for words in (("sample-data", "--rows", "1000"), ("deploy", "airflow"), ("deploy", "dagster")):
        call([str(Path(sys.executable).with_name("dmail-runner")), *words], folder, {})
    return folder


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    if old not in text:
        raise SystemExit(f"{path} does not contain {old!r}")
    path.write_text(text.replace(old, new))


def try_dagster(python: Path, project: Path, expected: list[list[object]]) -> None:
    """Materialize a project's assets twice. Exits unless success and states are those expected."""
    printed = call([str(python), "-c", DAGSTER, "dmail_dmail.py"], project, {"DAGSTER_DISABLE_TELEMETRY": "1"})
    keys, found = json.loads(re.findall(r"(?m)^RESULT (.*)$", printed)[0])
    report(project.name, [keys, found], [sorted(CAMPAIGNS), expected])


def try_airflow(python: Path, home: Path, project: Path, expected: str) -> None:
    """Parse and run a project's DAG. Exits unless its task ends in the expected state."""
    program = str(python.with_name("airflow"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)} | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(project / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }

    def airflow(*words: str) -> str:
        done = subprocess.run([program, *words], env=environment, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    airflow("db", "migrate")
    if "No data found" not in (errors := airflow("dags", "list-import-errors")):
        raise SystemExit(errors[-3000:])
    printed = airflow("dags", "test", "dmail_dmail")
    run = re.findall(r"run_id=(manual__\S+?),", printed)
    states = (
        json.loads(airflow("tasks", "states-for-dag-run", "dmail_dmail", run[0], "-o", "json").splitlines()[0]) if run else []
    )
    report(project.name, [state["state"] for state in states], [expected])


def report(what: str, found: object, expected: object) -> None:
    """Print what was found. Exits if something else was expected."""
    sys.stdout.write(f"{what}: {json.dumps(found)}\n")
    sys.stdout.flush()
    if found != expected:
        raise SystemExit(f"expected: {json.dumps(expected)}")


if __name__ == "__main__":
    main()
