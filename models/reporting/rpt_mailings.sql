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

    {% set statuses = ["in_transit", "delivered", "rerouted", "returned", "failed"] %}
    in_the_post as (
        select
            runs.mailing,
            {% for status in statuses %}
                sum(case when pieces.status = '{{ status }}' then pieces.pieces else 0 end) as {{ status }}
                {{- "," if not loop.last }}
            {% endfor %}
        from
            {{
                dmail.read_files(
                    source("dmail_figures", "piece_status"),
                    otherwise={"run_id": "string", "status": "string", "pieces": "bigint"},
                )
            }} as pieces
        inner join runs on pieces.run_id = runs.run_id
        group by runs.mailing
    ),

    final as (
        select
            mailings.mailing,
            mailings.campaign,
            mailings.slot_at,
            mailings.waves,
            mailings.targeted,
            mailings.targeted - mailings.included as excluded,
            mailings.included,
            {% for status in statuses %} in_the_post.{{ status }} {{- "," if not loop.last }} {% endfor %}
        from mailings
        left join in_the_post on mailings.mailing = in_the_post.mailing
    )

select *
from final
