{#
    Out: another profile of the same unit is kept. A household that is excluded by an earlier rule keeps nobody out.

    Arguments:
        unit  person: the same name at the same address; household: the same last name there; address: whoever lives there
        keep  the order by which the best is kept, such as 'updated_at desc'; `profile_id` breaks ties
#}
{% macro one_per(unit, keep="updated_at desc") %}
    {% do dmail.one_of("one_per", "unit", unit, ["person", "household", "address"]) %}
    {{
        return(
            {
                "reason": "duplicate",
                "unit": [unit ~ "_key"],
                "keep": [keep ~ " nulls last"],
                "shows": {unit: unit ~ "_key"},
            }
        )
    }}
{% endmacro %}
