"""A new project gets everything that the package's macros and models read."""

import re
import tomllib

from dmail_runner.setup.scaffold import OWN, PACKAGE
from project import ROOT

READ = re.compile(r"""ref\(\s*["']dmail["'],\s*["'](\w+)["']\)""")


def test_the_seeds_that_the_package_reads_are_in_it() -> None:
    code = [path.read_text(encoding="utf-8") for folder in ("macros", "models") for path in (ROOT / folder).rglob("*.sql")]
    names = {name for text in code for name in READ.findall(text)}
    seeds = {path.stem for path in (ROOT / "seeds").glob("*.csv")} & names
    assert {"countries", "match_words", "regions"} <= seeds
    assert seeds <= {path.removeprefix("seeds/").removesuffix(".csv") for path in PACKAGE if path.startswith("seeds/")}


def test_every_seed_of_the_package_has_its_yaml() -> None:
    described = "".join((ROOT / path).read_text(encoding="utf-8") for path in PACKAGE if path.endswith("__seeds.yml"))
    for path in PACKAGE:
        if path.endswith(".csv"):
            assert re.search(rf"- name: {path.removeprefix('seeds/').removesuffix('.csv')}\b", described), path


def test_the_wheel_has_what_new_projects_get() -> None:
    included = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["include"]
    for path in {*PACKAGE, *OWN} - {"dbt_project.yml"}:
        assert any(f"/{path}".startswith(entry) for entry in included), path
