{#
    On recipients: targeted = included + excluded. There are as many verdicts as the audience has rows, and no profile has two.
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
