-- One row per profile and file that it was put in. Empty until the first run.
{% set columns = {
    "profile_id": "string",
    "household_key": "string",
    "campaign": "string",
    "slot": "timestamp",
    "run_id": "string",
    "cell": "string",
    "purpose": "string",
    "offers": "string",
    "piece_id": "string",
    "key_code": "string",
    "person_key": "string",
    "address_key": "string",
    "treatment": "string",
    "voucher": "string",
    "purl_hash": "string",
} %}
with
    compacted as (
        select run_id, compaction
        from
            {{
                dmail.read_files(
                    source("dmail", "compacted_runs"), otherwise={"run_id": "string", "compaction": "string"}
                )
            }}
    ),

    contacts as (
        select {{ columns | join(", ") }}, compaction
        from {{ dmail.read_files(source("dmail", "contact_weeks"), otherwise=dict(columns, compaction="string")) }}
        union all
        select {{ columns | join(", ") }}, cast(null as string) as compaction
        from {{ dmail.read_files(source("dmail", "contact_history"), otherwise=columns) }}
    ),

    -- A run can be in both folders, and can appear in its week at any moment. Only `compacted` decides which rows
    -- count, so
    -- that each contact counts once. It comes first, because it must be read before the files that it lists.
    final as (
        select
            contacts.profile_id,
            contacts.household_key,
            contacts.campaign,
            contacts.slot,
            contacts.run_id,
            contacts.cell,
            contacts.purpose,
            contacts.offers,
            contacts.piece_id,
            contacts.key_code,
            contacts.person_key,
            contacts.address_key,
            contacts.treatment,
            contacts.voucher,
            contacts.purl_hash
        from compacted
        right join contacts on compacted.run_id = contacts.run_id
        where contacts.compaction is not distinct from compacted.compaction
    )

select *
from final
