{#
    Every profile of the audience has exactly one verdict: targeted = included + excluded. In a mailing in waves, people who have left
    the audience since it was divided have a verdict, too.

    Arguments:
        model (relation): The recipients.
        audience (relation): The audience.
#}
{% test one_verdict_per_profile(model, audience) %}
    with
        verdicts as (
            select count(*) as verdicts, count(distinct profile_id) as judged
            from {{ model }}
            where
                coalesce(exclusion_reason, '') not in ('left_audience', 'another_wave')
                or profile_id in (select profile_id from {{ audience }})
        ),

        targeted as (select count(*) as targeted from {{ audience }})

    select *
    from verdicts
    cross join targeted
    where verdicts <> targeted or judged <> targeted
{% endtest %}
