{#
    The columns of a source can be read as their types. Otherwise, an export with another format of dates would empty every campaign
    that selects by them.

    Arguments:
        model (relation): The source.
        columns (dict[string, string]): Column -> SQL type.
        max_share (float): The share of a column's values that may be unreadable, from 0 to 1, so that single typing errors pass.
#}
{% test readable(model, columns, max_share=0.01) %}
    with
        counted as (
            select
                {% for column, type in columns.items() %}
                    {% set read = dmail.read_as("source." ~ column, type) %}
                    count({{ read }}) as {{ column }}_read,
                    -- Only unreadable values are compared as text, because they are rare. Blanks count as null.
                    count(
                        case when {{ read }} is null then nullif(trim(cast(source.{{ column }} as string)), '') end
                    ) as {{ column }}_unreadable
                    {{ "," if not loop.last }}
                {% endfor %}
            from {{ dmail.read_files(model) }} as source
        )

    {% for column in columns %}
        select '{{ column }}' as unreadable, {{ column }}_unreadable as not_read, {{ column }}_read as read
        from counted
        where
            {{ column }}_unreadable > {{ max_share }} * ({{ column }}_read + {{ column }}_unreadable)
            {{ "union all" if not loop.last }}
    {% endfor %}
{% endtest %}
