-- One row per run, country and region: the number of pieces. Those with fewer than ten pieces are merged.
with
    regions as (
        select *
        from
            {{
                dmail.read_files(
                    source("dmail_figures", "regions"),
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
        select regions.run_id, runs.campaign, runs.slot_at, regions.country_code, regions.region, regions.pieces
        from regions
        inner join runs on regions.run_id = runs.run_id
    )

select *
from final
