-- One row per campaign, in which each person counts once over all runs, windows and waves. Without profiles' keys.
with
    contacts as (select * from {{ ref("stg_contact_history") }}),

    people as (
        select campaign, profile_id, sum(case when cell = 'mailed' then 1 else 0 end) as pieces
        from contacts
        where cell <> 'expired'
        group by campaign, profile_id
    ),

    final as (
        select
            campaign,
            sum(case when pieces > 0 then 1 else 0 end) as mailed,
            sum(case when pieces = 0 then 1 else 0 end) as held_out,
            sum(pieces) as pieces
        from people
        group by campaign
    )

select *
from final
