-- One row per mailing, in which each person counts once: with the verdict of their own wave, and not for copies.
with
    runs as (select * from {{ ref("rpt_runs") }}),

    other_waves as (select run_id, profiles as others from {{ ref("rpt_exclusions") }} where reason = 'another_wave'),

    own_people as (
        select
            runs.mailing,
            runs.campaign,
            runs.slot_at,
            runs.targeted as audience,
            runs.targeted - coalesce(other_waves.others, 0) as targeted,
            runs.included
        from runs
        left join other_waves on runs.run_id = other_waves.run_id
        where runs.targeted is not null and runs.copy_of is null
    ),

    mailings as (
        select
            mailing,
            campaign,
            min(slot_at) as slot_at,
            count(*) as waves,
            greatest(max(audience), sum(targeted)) as targeted,
            sum(included) as included
        from own_people
        group by mailing, campaign
    ),

    final as (
        select mailing, campaign, slot_at, waves, targeted, targeted - included as excluded, included from mailings
    )

select *
from final
