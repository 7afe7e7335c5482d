"""The macros that the runner finds in code are those that dbt 1 finds."""

import json
from pathlib import Path

from dmail_runner.project.lineage import Lineage, Macros
from dmail_runner.project.macro_calls import complete_manifest


def test_every_model_uses_the_macros_that_dbt_has_found(manifest: str, tmp_path: Path) -> None:
    known = json.loads(manifest)
    content = json.loads(manifest)
    for entry in (*content["nodes"].values(), *content["macros"].values()):
        entry["depends_on"]["macros"] = []
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(content))
    complete_manifest(path)
    found = json.loads(path.read_text())
    models = [name for name, node in known["nodes"].items() if node["resource_type"] == "model"]
    assert len(models) > 40
    for name in models:
        theirs, ours = (
            {macro["unique_id"] for macro in Lineage(content["nodes"], Macros(content["macros"]), name).used_macros()}
            for content in (known, found)
        )
        assert theirs <= ours, name
        # A comment of SQL that Jinja fills in, or a branch that dbt 1 has not rendered.
        assert len(ours - theirs) <= 3, (name, ours - theirs)
