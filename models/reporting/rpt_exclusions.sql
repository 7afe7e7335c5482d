-- One row per run and reason: the profiles of its audience that were excluded for it.
with
    exclusions as (
        select *
        from
            {{
                dmail.read_files(
                    source("dmail_figures", "exclusions"),
                    otherwise={"run_id": "string", "reason": "string", "profiles": "bigint"},
                )
            }}
    ),

    runs as (select * from {{ ref("rpt_runs") }}),

    final as (
        select
            exclusions.run_id,
            runs.campaign,
            runs.slot_at,
            exclusions.reason,
            exclusions.profiles,
            exclusions.profiles / nullif(runs.targeted, 0) as share_of_targeted
        from exclusions
        inner join runs on exclusions.run_id = runs.run_id
    )

select *
from final
