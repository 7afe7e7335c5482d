{#
    Columns are never null, and no two rows have the same key. The test reads the relation once, where `not_null` and `unique` read it
    once for each column.

    Arguments:
        model (relation): The relation.
        columns (list[string]): The columns that are never null.
        key (list[string]): The columns that together are unique. An empty list is no key.
#}
{% test complete(model, columns, key=[]) %}
    with
        counted as (
            select
                {% for column in columns %} count(*) - count({{ column }}) as without_{{ column }}, {% endfor %}
                {% if key %} count(*) - count(distinct concat_ws('|', {{ key | join(", ") }}))
                {% else %} 0
                {% endif %} as repeated
            from {{ model }}
        )

    select *
    from counted
    where {% for column in columns %} without_{{ column }} > 0 or {% endfor %} repeated > 0
{% endtest %}
