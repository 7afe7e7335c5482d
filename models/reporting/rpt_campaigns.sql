-- One row per campaign: the report's "All runs". Each person counts once for each mailing, and once over the windows
-- of a trigger.
with
    mailings as (select * from {{ ref("rpt_mailings") }}),

    runs as (select * from {{ ref("rpt_runs") }}),

    all_mailings as (
        select campaign, sum(targeted) as targeted, sum(excluded) as excluded, sum(included) as included
        from mailings
        group by campaign
    ),

    -- The verdict of a window replaces that of an earlier one.
    replaced as (
        select
            campaign,
            sum(coalesce(counted_before, 0)) as targeted,
            sum(coalesce(counted_before, 0) - coalesce(included_before, 0)) as excluded,
            sum(coalesce(included_before, 0)) as included
        from runs
        group by campaign
    ),

    final as (
        select
            all_mailings.campaign,
            all_mailings.targeted - replaced.targeted as targeted,
            all_mailings.excluded - replaced.excluded as excluded,
            all_mailings.included - replaced.included as included
        from all_mailings
        inner join replaced on all_mailings.campaign = replaced.campaign
    )

select *
from final
