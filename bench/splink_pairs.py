"""Splink's duplicates in a file of people: prints the pairs found, those that are one person, and those that there are."""

import json
import sys

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

THRESHOLD = 0.95
BLOCKS = (
    ("first_name", "last_name"),
    ("last_name", "postal_code"),
    ("address_line1", "postal_code"),
    ("first_name", "postal_code"),
    ("address_line1",),
)
PERSON = "split_part({}, '-', 2)"


def main(source: str) -> None:
    people = duckdb.sql(
        f"select profile_id as unique_id, * exclude (profile_id) from read_csv('{source}', all_varchar = true)"
    ).df()
    compared = ("first_name", "last_name", "address_line1", "address_line2", "city", "postal_code")
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[cl.JaroWinklerAtThresholds(column, [0.9, 0.8]) for column in compared],
        blocking_rules_to_generate_predictions=[block_on(*columns) for columns in BLOCKS],
    )
    linker = Linker(DuckDBAPI().register(people), settings)
    training = linker.training
    training.estimate_probability_two_random_records_match([block_on("first_name", "last_name", "postal_code")], recall=0.5)
    training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    training.estimate_parameters_using_expectation_maximisation(block_on("first_name", "last_name"))
    training.estimate_parameters_using_expectation_maximisation(block_on("postal_code", "city"))
    pairs = linker.inference.predict(threshold_match_probability=THRESHOLD)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, THRESHOLD)
    groups = clusters.as_pandas_dataframe()  # type: ignore[no-untyped-call]  # noqa: F841 (DuckDB reads it)
    query = f"""
        with rows as (select cluster_id, {PERSON.format("unique_id")} as person from groups),
        counted as (select cluster_id, person, count(*) as n from rows group by all)
        select
            (select sum(n * (n - 1) // 2) from (select sum(n)::bigint as n from counted group by cluster_id)),
            (select sum(n * (n - 1) // 2) from counted),
            (select sum(n * (n - 1) // 2) from (select count(*) as n from rows group by person))
    """
    print(json.dumps([int(number) for number in duckdb.sql(query).fetchone() or ()]))


if __name__ == "__main__":
    main(sys.argv[1])
