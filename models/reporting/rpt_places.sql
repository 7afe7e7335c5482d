-- One row per run, country and region: the number of pieces. Those with fewer than ten pieces are merged.
with
    places as (
        select *
        from
            {{
                dmail.read_files(
                    source("dmail_figures", "places"),
                    otherwise={
                        "run_id": "string",
                        "country_code": "string",
                        "region": "string",
                        "pieces": "bigint",
                    },
                )
            }}
    ),

    runs as (select * from {{ ref("rpt_runs") }}),

    final as (
        select places.run_id, runs.campaign, runs.slot_at, places.country_code, places.region, places.pieces
        from places
        inner join runs on places.run_id = runs.run_id
    )

select *
from final
