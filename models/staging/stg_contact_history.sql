-- Who was put in which file. Empty until the first run.
{% set columns = {
    "profile_id": "varchar",
    "household_key": "varchar",
    "campaign": "varchar",
    "slot": "timestamp",
    "run_id": "varchar",
    "cell": "varchar",
} %}
with
    compacted as (
        select run_id, compaction
        from
            {{
                read_files(
                    source("dmail", "compacted_runs"), otherwise={"run_id": "varchar", "compaction": "varchar"}
                )
            }}
    ),

    contacts as (
        select {{ columns | join(", ") }}, compaction
        from {{ read_files(source("dmail", "contact_weeks"), otherwise=dict(columns, compaction="varchar")) }}
        union all
        select {{ columns | join(", ") }}, cast(null as varchar) as compaction
        from {{ read_files(source("dmail", "contact_history"), otherwise=columns) }}
    ),

    -- A run may be in both places, and appear in its week at any instant. `compacted` alone says which rows count, so
    -- that each
    -- contact does once: it is read in one place only, and before the files of which it tells.
    final as (
        select
            contacts.profile_id,
            contacts.household_key,
            contacts.campaign,
            contacts.slot,
            contacts.run_id,
            contacts.cell
        from compacted
        right join contacts on compacted.run_id = contacts.run_id
        where contacts.compaction is not distinct from compacted.compaction
    )

select *
from final
