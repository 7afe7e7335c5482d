{#
    Every profile of the audience has exactly one verdict: targeted = included + excluded. In a mailing in waves, people who have left
    the audience since it was divided have a verdict, too. Without the runner, nobody knows the wave whose verdicts a table has: they are
    not counted.

    Arguments:
        model (relation): The recipients.
        audience (relation): The audience.
#}
{% test one_verdict_per_profile(model, audience) %}
    {% set of_waves = "coalesce(exclusion_reason, '') in ('left_audience', 'another_wave')" %}
    with
        verdicts as (
            select
                count(*) as verdicts,
                count(distinct profile_id) as judged,
                count(case when {{ of_waves }} then 1 end) as verdicts_of_waves
            from {{ model }}
            {# Reading the audience twice would be the costliest test of a run. #}
            {% if dmail.this_wave() %}
                where not {{ of_waves }} or profile_id in (select profile_id from {{ audience }})
            {% endif %}
        ),

        targeted as (select count(*) as targeted from {{ audience }})

    select *
    from verdicts
    cross join targeted
    where
        (verdicts <> targeted or judged <> targeted)
        {% if not dmail.this_wave() %} and verdicts_of_waves = 0 {% endif %}
{% endtest %}
