-- One row per run and cell: how many people its file mailed, and how many the control group kept. Nobody by name.
with
    contacts as (select * from {{ ref("stg_contact_history") }}),

    final as (
        select run_id, campaign, slot as slot_at, cell, count(*) as people, count(distinct household_key) as households
        from contacts
        group by run_id, campaign, slot, cell
    )

select *
from final
