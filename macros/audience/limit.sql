{#
    Out: the quantity is reached.

    Arguments:
        rows  how many are kept
        keep  the order by which the first are kept, such as 'lifetime_value desc'; none: by a keyed hash, that is by lot, with the
              same winners whenever the slot is built
        per   a column: so many of each of its values, such as 'region'
#}
{% macro limit(rows, keep=none, per=none) %}
    {% do dmail.number_between("limit", "rows", rows, 1, 1000000000000) %}
    {{
        return(
            {
                "reason": "limit",
                "unit": [per] if per else [],
                "keep": [keep ~ " nulls last" if keep else dmail.keyed_hash(dmail.campaign_name() ~ "/limit", "profile_id")],
                "first": rows,
            }
        )
    }}
{% endmacro %}
