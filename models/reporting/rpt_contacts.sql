-- One row per run and cell: the people whom its file mailed, and the control group. Without profiles' keys.
with
    contacts as (select * from {{ ref("stg_contact_history") }}),

    final as (
        select run_id, campaign, slot as slot_at, cell, count(*) as people, count(distinct household_key) as households
        from contacts
        where cell <> 'expired'
        group by run_id, campaign, slot, cell
    )

select *
from final
