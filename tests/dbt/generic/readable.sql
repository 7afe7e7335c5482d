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
                    {# Exports have names such as Order Date. #}
                    {% set plain = modules.re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", column) %}
                    {% set named = "source." ~ (column if plain else adapter.quote(column)) %}
                    {% set read = dmail.read_as(named, type) %}
                    count({{ read }}) as read_{{ loop.index }},
                    -- Only unreadable values are compared as text, because they are rare. Blanks count as null.
                    count(
                        case when {{ read }} is null then nullif(trim(cast({{ named }} as string)), '') end
                    ) as unreadable_{{ loop.index }}
                    {{ "," if not loop.last }}
                {% endfor %}
            from {{ dmail.read_files(model) }} as source
        )

    {% for column in columns %}
        select
            {{ dmail.sql_text(column) }} as unreadable,
            unreadable_{{ loop.index }} as not_read,
            read_{{ loop.index }} as read
        from counted
        where
            unreadable_{{ loop.index }} > {{ max_share }} * (read_{{ loop.index }} + unreadable_{{ loop.index }})
            {{ "union all" if not loop.last }}
    {% endfor %}
{% endtest %}
