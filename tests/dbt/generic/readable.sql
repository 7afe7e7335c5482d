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
                    count(nullif(trim(cast(source.{{ column }} as string)), '')) as {{ column }}_given,
                    count({{ read_as("source." ~ column, type) }}) as {{ column }}_read
                    {{ "," if not loop.last }}
                {% endfor %}
            from {{ read_files(model) }} as source
        )

    {% for column in columns %}
        select '{{ column }}' as unreadable, {{ column }}_given as given, {{ column }}_read as read
        from counted
        where
            {{ column }}_given - {{ column }}_read > {{ max_share }} * {{ column }}_given
            {{ "union all" if not loop.last }}
    {% endfor %}
{% endtest %}
