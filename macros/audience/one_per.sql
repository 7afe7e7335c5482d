{#
    Out: another profile of the same unit is kept.

    Arguments:
        unit  person: the same name at the same address
        keep  the order by which the best is kept, such as 'updated_at desc'; `profile_id` breaks ties
#}
{% macro one_per(unit, keep="updated_at desc") %}
    {% set keys = {"person": ["person_key"]} %}
    {% if unit not in keys %}
        {{
            exceptions.raise_compiler_error(
                "one_per(): unknown unit `" ~ unit ~ "`; it accepts " ~ keys | join(", ")
            )
        }}
    {% endif %}
    {{ return({"reason": "duplicate", "unit": keys[unit], "keep": [keep ~ " nulls last"]}) }}
{% endmacro %}
