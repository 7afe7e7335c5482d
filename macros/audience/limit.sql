{#
    Excludes profiles beyond a quantity.

    Arguments:
        rows (int): The number of profiles to keep.
        keep (optional[string]): The order in which profiles are kept, such as 'lifetime_value desc'. By default, a keyed hash draws
            them by lot: the same profiles win whenever the slot is built.
        per (optional[string]): A column, such as 'region': `rows` profiles are kept for each of its values.
#}
{% macro limit(rows, keep=none, per=none) %}
    {% do dmail.number_between("limit", "rows", rows, 1, 1000000000000) %}
    {% set lot = dmail.keyed_hash(dmail.campaign_name() ~ "/limit", "profile_id") %}
    {{
        return(
            {
                "reason": "limit",
                "draws": true,
                "unit": [per] if per else [],
                "keep": [keep ~ " nulls last" if keep else lot],
                "first": rows,
            }
        )
    }}
{% endmacro %}
