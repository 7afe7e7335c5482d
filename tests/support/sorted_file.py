"""A campaign whose file is sorted by the plan of a post."""

from project import Project

MODELS = "models/campaigns/spring_catalog/"
EXPOSURE = MODELS + "_spring_catalog__exposures.yml"
COLUMNS = (
    "post_level: string, post_destination: string, post_container: bigint, post_container_sequence: bigint, post_sequence: bigint"
)


def sort_by_plan(project: Project) -> None:
    """Sort the campaign's file by the plan of the United States."""
    extract, models = MODELS + "spring_catalog__extract.sql", MODELS + "_spring_catalog__models.yml"
    project.edit(
        extract,
        "    final as (",
        '    planned as ({{ dmail.us_presort(minimums={"5_digit": 3, "3_digit": 900, "area": 2}) }}),\n\n    final as (',
    )
    project.edit(extract, "        from pieces\n", "        from planned\n")
    names = [column.split(": ") for column in COLUMNS.split(", ")]
    project.edit(
        extract, "            is_seed\n", "            is_seed,\n            " + ", ".join(name for name, _ in names) + "\n"
    )
    marker = "      - name: is_seed\n        description: \"{{ doc('is_seed') }}\"\n"
    project.edit(models, marker, "".join(f"      - {{name: {name}, data_type: {kind}}}\n" for name, kind in names) + marker)
    project.edit(EXPOSURE, "sort_by: [country_code, postal_code]", "sort_by: post:us_presort")
