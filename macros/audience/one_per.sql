{#
    Keeps one profile per person, household or address. Profiles that an earlier rule has excluded do not count, so that an
    excluded profile never takes the place of another one.

    Arguments:
        unit (string): 'person' (same name, same address), 'household' (same last name, same address) or 'address'.
        keep (string): The order in which profiles are kept, such as 'updated_at desc'. Ties are broken by `profile_id`.
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
