{#
    On recipients: targeted = included + excluded. Every profile of the audience has exactly one row, and nobody else has one.
#}
{% test one_verdict_per_profile(model, audience) %}
    with
        verdicts as (select count(*) as verdicts, count(distinct profile_id) as judged from {{ model }}),

        targeted as (select count(*) as targeted from {{ audience }}),

        strangers as (
            select count(*) as strangers
            from {{ model }} as recipients
            where
                not exists (select 1 from {{ audience }} as audience where audience.profile_id = recipients.profile_id)
        )

    select *
    from verdicts
    cross join targeted
    cross join strangers
    where verdicts <> targeted or judged <> targeted or strangers > 0
{% endtest %}
