{#
    Excludes a control group, which makes the effect of a mailing measurable. A keyed hash selects the same people in every slot.
    The contact history records them as `holdout`.

    Arguments:
        percent (float): The size of the group, from 0 to 100.
        unit (string): The unit that is held out together: 'profile' or 'household'.
        key (optional[string]): Campaigns with the same key hold out the same people. By default, each campaign has its own group.
#}
{% macro holdout(percent, unit="profile", key=none) %}
    {% do dmail.number_between("holdout", "percent", percent, 0, 100) %}
    {% do dmail.one_of("holdout", "unit", unit, ["profile", "household"]) %}
    {% set person = "profile_id" if unit == "profile" else "coalesce(household_key, profile_id)" %}
    {% set drawn = dmail.keyed_hash((key or dmail.campaign_name()) ~ "/holdout", person) %}
    {# Hashes are compared as text, and 'g' sorts after every hexadecimal digit. #}
    {% set bound = dmail.hexadecimal((percent * 42949672.96) | round | int, 8) if percent < 100 else "g" %}
    {{
        return(
            {
                "reason": "holdout",
                "draws": true,
                "condition": drawn ~ " < '" ~ bound ~ "'",
                "shows": {"draw": drawn, "below": "'" ~ bound ~ "'"},
            }
        )
    }}
{% endmacro %}
