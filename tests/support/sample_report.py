"""The sample report of the documentation, about made-up runs: `python -m sample_report FOLDER`."""

import shutil
import sys
import tempfile
from pathlib import Path

from pictures import sample_project, write_sample_report

NEWEST = 4  # runs with a page, beside those that need a person and the last one of each campaign


def main(folder: Path) -> None:
    """Write the report into a folder, which is replaced."""
    with tempfile.TemporaryDirectory() as temporary:
        project = sample_project(Path(temporary, "project"))
        write_sample_report(project, project / "site", limit=NEWEST, lineage=False).engine.dispose()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(project / "site", folder, ignore=shutil.ignore_patterns(".*"))


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
