{#
    A key is unique and never null. The test reads the relation once; `not_null` and `unique` would read it twice.

    Arguments:
        model (relation): The relation.
        column (column): The key.
#}
{% test unique_key(model, column) %}
    with
        counted as (
            select count(*) as all_rows, count({{ column }}) as keys, count(distinct {{ column }}) as different_keys
            from {{ model }}
        )

    select all_rows - keys as without_key, keys - different_keys as repeated
    from counted
    where all_rows <> keys or keys <> different_keys
{% endtest %}
