{#
    Out: the control group, which is not mailed, so that what the mailing did can be measured. A keyed hash puts the same people in it in
    every slot; they stand in the contact history as `holdout`.

    Arguments:
        percent  how many of a hundred
        unit     profile or household: who is held out together
        key      campaigns with the same key hold out the same people; by default each campaign has its own
#}
{% macro holdout(percent, unit="profile", key=none) %}
    {% do dmail.number_between("holdout", "percent", percent, 0, 100) %}
    {% do dmail.one_of("holdout", "unit", unit, ["profile", "household"]) %}
    {% set drawn = dmail.keyed_hash(
        (key or dmail.campaign_name()) ~ "/holdout",
        "profile_id" if unit == "profile" else "coalesce(household_key, profile_id)",
    ) %}
    {# As text: 'g' comes after every hexadecimal digit. #}
    {% set bound = "%08x" | format((percent * 42949672.96) | round | int) if percent < 100 else "g" %}
    {{
        return(
            {
                "reason": "holdout",
                "condition": drawn ~ " < '" ~ bound ~ "'",
                "shows": {"draw": drawn, "below": "'" ~ bound ~ "'"},
            }
        )
    }}
{% endmacro %}
