{#
    Every profile of the audience has exactly one verdict: targeted = included + excluded.

    Arguments:
        model (relation): The recipients.
        audience (relation): The audience.
#}
{% test one_verdict_per_profile(model, audience) %}
    with
        verdicts as (select count(*) as verdicts, count(distinct profile_id) as judged from {{ model }}),

        targeted as (select count(*) as targeted from {{ audience }})

    select *
    from verdicts
    cross join targeted
    where verdicts <> targeted or judged <> targeted
{% endtest %}
