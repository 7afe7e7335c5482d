{#
    The wave of a mailing that the runner builds, from DMAIL_WAVE: {number, sizes, audience}. Empty without the runner, and for
    mailings without waves. The first run divides the audience, and later waves take the same people. The members of a household
    are in one wave, which a keyed hash draws.
#}
{% macro this_wave() %} {{ return(fromjson(env_var("DMAIL_WAVE", "{}")) if execute else {}) }} {% endmacro %}

{#
    The relation with the people of a divided audience: `profile_id` and `wave_number`.

    Arguments:
        wave (dict[string, any]): What `this_wave()` returns.
#}
{% macro divided_audience(wave) %}
    {{ return(dmail.read_files("'" ~ wave.audience.replace("'", "''") ~ "'")) }}
{% endmacro %}

{#
    Common table expressions: the audience with `wave_number`, and `targeted`, in which people of other waves are excluded, and those
    who are no longer in the audience since it was divided (`left_audience`).

    Arguments:
        audience (relation): The campaign's audience, with `profile_id` and `household_key`.
        wave (dict[string, any]): What `this_wave()` returns.
#}
{% macro in_waves(audience, wave) %}
    {% if wave.audience %}
        divided as (
            select
                drawn.profile_id,
                drawn.wave_number,
                {{ dmail.star_except(["profile_id"], "audience") }},
                case when audience.profile_id is null then 'left_audience' end as gone
            from
                {{ dmail.divided_audience(wave) }} as drawn
                {# A copy is sent to some of these people, and the others are in its original's figures. #}
                {{ "inner" if dmail.original() else "left" }}
            join (select * from {{ audience }}) as audience on drawn.profile_id = audience.profile_id
        ),
    {% else %}
        {% set lot = dmail.keyed_hash(dmail.campaign_name() ~ "/wave", "coalesce(household_key, profile_id)") %}
        drawn as (
            select
                *, row_number() over (order by {{ lot }}, coalesce(household_key, profile_id), profile_id) as position
            from {{ audience }}
        ),

        households as (
            select
                *,
                count(*) over () as people,
                {# The first member's position decides for all members of the household. #}
                min(position) over (partition by coalesce(household_key, profile_id)) as household_position
            from drawn
        ),

        divided as (
            select
                {{ dmail.star_except(["position", "people", "household_position"], "households") }},
                case
                    {% set reach = namespace(share=0, count=0) %}
                    {% for size in wave.sizes[:-1] %}
                        {% if size.share %}
                            {% set reach.share = reach.share + size.share %}
                            when household_position <= people * {{ reach.share }}
                        {% else %}
                            {% set reach.count = reach.count + size.count %}
                            when household_position <= {{ reach.count }}
                        {% endif %}
                        then {{ loop.index }}
                    {% endfor %}
                    else {{ wave.sizes | length }}
                end as wave_number
            from households
        ),
    {% endif %}
    targeted as (
        select
            {{ dmail.star_except(["gone"]) if wave.audience else "*" }},
            case
                when wave_number <> {{ wave.number }} then 'another_wave' {% if wave.audience %} else gone {% endif %}
            end as exclusion_reason
        from divided
    ),
{% endmacro %}
