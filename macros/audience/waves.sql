{#
    A mailing in waves, by what the runner says in DMAIL_WAVE: the first run divides its audience, and later waves take the same people.
    The members of a household are in one wave, drawn by a keyed hash. Without the runner there are no waves.
#}
{% macro this_wave() %} {{ return(fromjson(env_var("DMAIL_WAVE", "{}")) if execute else {}) }} {% endmacro %}

{# What the people of a divided audience are read from. #}
{% macro divided_audience(wave) %} {{ return(dmail.read_files("'" ~ wave.audience.replace("'", "''") ~ "'")) }} {% endmacro %}

{#
    The audience with `wave_number`, and who is in another wave than this one already out.

    Arguments:
        audience  relation; `profile_id` and `household_key`
        wave      what `this_wave()` returns
#}
{% macro in_waves(audience, wave) %}
    {% if wave.audience %}
        divided as (
            select audience.*, drawn.wave_number
            from {{ audience }} as audience
            inner join {{ dmail.divided_audience(wave) }} as drawn on audience.profile_id = drawn.profile_id
        ),
    {% else %}
        drawn as (
            select
                *,
                row_number() over (
                    order by
                        {{ dmail.keyed_hash(dmail.campaign_name() ~ "/wave", "coalesce(household_key, profile_id)") }},
                        coalesce(household_key, profile_id),
                        profile_id
                ) as place_in_line
            from {{ audience }}
        ),

        households_in_line as (
            select
                *,
                count(*) over () as people,
                {# The household's first member decides for all. #}
                min(place_in_line) over (partition by coalesce(household_key, profile_id)) as household_place
            from drawn
        ),

        divided as (
            select
                {{ dmail.star_except(["place_in_line", "people", "household_place"], "households_in_line") }},
                case
                    {% set reach = namespace(share=0, count=0) %}
                    {% for size in wave.sizes[:-1] %}
                        {% if size.share %}
                            {% set reach.share = reach.share + size.share %}
                            when household_place <= people * {{ reach.share }}
                        {% else %}
                            {% set reach.count = reach.count + size.count %} when household_place <= {{ reach.count }}
                        {% endif %}
                        then {{ loop.index }}
                    {% endfor %}
                    else {{ wave.sizes | length }}
                end as wave_number
            from households_in_line
        ),
    {% endif %}
    targeted as (
        select *, case when wave_number <> {{ wave.number }} then 'another_wave' end as exclusion_reason from divided
    ),
{% endmacro %}
