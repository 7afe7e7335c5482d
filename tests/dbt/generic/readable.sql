{#
    On a source: its columns can be read as the given types. An export whose dates come in another format would otherwise empty
    every campaign that selects on them.

    Arguments:
        columns    column: SQL type
        max_share  how many of a column's values may be unreadable, from 0 to 1: single typing errors do not stop a mailing
#}
{% test readable(model, columns, max_share=0.01) %}
    with
        counted as (
            select
                {% for column, type in columns.items() %}
                    {% set read = dmail.read_as("source." ~ column, type) %}
                    count({{ read }}) as {{ column }}_read,
                    -- As text only what cannot be read: that is rare, and what is blank counts as not given.
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
