{# Lists. The first place in a list is 1. #}
{#
    An expression over the name of a value, so that the value is computed once.

    Arguments:
        value (column): The value.
        name (string): The name.
        expression (string): SQL over the name.
#}
{% macro with_value(value, name, expression) -%}
    {{ adapter.dispatch("with_value", "dmail")(value, name, expression) }}
{%- endmacro %}

{% macro duckdb__with_value(value, name, expression) -%}
    list_transform([{{ value }}], lambda {{ name }}:{{ expression }})[1]
{%- endmacro %}

{% macro spark__with_value(value, name, expression) -%}
    transform(array({{ value }}), {{ name }} -> {{ expression }})[0]
{%- endmacro %}

{# PostgreSQL would repeat the value in the expression, were it not for the offset. #}
{% macro postgres__with_value(value, name, expression) -%}
    (select {{ expression }} from (select {{ value }} as {{ name }} offset 0) as {{ name }}_value)
{%- endmacro %}

{#
    An expression over several values, as the fields of a name: `names.first`. Each value is computed once.

    Arguments:
        values (dict[string, column]): Field -> value.
        name (string): The name.
        expression (string): SQL over the fields.
#}
{% macro with_values(values, name, expression) -%}
    {{ adapter.dispatch("with_values", "dmail")(values, name, expression) }}
{%- endmacro %}

{% macro default__with_values(values, name, expression) -%}
    {{ dmail.with_value(adapter.dispatch("struct_of", "dmail")(values), name, expression) }}
{%- endmacro %}

{% macro postgres__with_values(values, name, expression) -%}
    (
        select {{ expression }}
        from
            (
                select
                    {% for field, value in values.items() %}
                        {{ value }} as {{ field }} {{- "," if not loop.last }}
                    {% endfor %}
                offset 0
            ) as {{ name }}
    )
{%- endmacro %}

{% macro default__struct_of(values) -%}
    struct_pack(
        {% for field, value in values.items() %}{{ field }} := {{ value }} {{- "," if not loop.last }} {% endfor %}
    )
{%- endmacro %}

{% macro spark__struct_of(values) -%}
    named_struct(
        {% for field, value in values.items() %}'{{ field }}', {{ value }} {{- "," if not loop.last }} {% endfor %}
    )
{%- endmacro %}

{#
    The lines of a text, as a list. Null stays null.

    Arguments:
        text (column): The text.
#}
{% macro split_lines(text) -%} {{ adapter.dispatch("split_lines", "dmail")(text) }} {%- endmacro %}

{% macro duckdb__split_lines(text) -%} string_split({{ text }}, chr(10)) {%- endmacro %}

{% macro spark__split_lines(text) -%} split({{ text }}, '\\n') {%- endmacro %}

{% macro postgres__split_lines(text) -%} string_to_array({{ text }}, chr(10)) {%- endmacro %}

{#
    An element of a list, or null beyond its end.

    Arguments:
        list (column): The list.
        place (int): The element's place, from 1.
#}
{% macro list_item(list, place) -%} {{ adapter.dispatch("list_item", "dmail")(list, place) }} {%- endmacro %}

{% macro duckdb__list_item(list, place) -%} {{ list }} [{{ place }}] {%- endmacro %}

{% macro spark__list_item(list, place) -%} get({{ list }}, {{ place - 1 }}) {%- endmacro %}

{% macro postgres__list_item(list, place) -%}({{ list }})[{{ place }}] {%- endmacro %}

{#
    The elements of a list of texts as one text. Null stays null.

    Arguments:
        list (column): The list.
        separator (string): The text between two elements.
#}
{% macro join_list(list, separator) -%} {{ adapter.dispatch("join_list", "dmail")(list, separator) }} {%- endmacro %}

{% macro duckdb__join_list(list, separator) -%}
    array_to_string({{ list }}, {{ dmail.sql_text(separator) }})
{%- endmacro %}

{% macro spark__join_list(list, separator) -%} array_join({{ list }}, {{ dmail.sql_text(separator) }}) {%- endmacro %}

{% macro postgres__join_list(list, separator) -%}
    array_to_string({{ list }}, {{ dmail.sql_text(separator) }})
{%- endmacro %}

{#
    An aggregate: the values of a group by their keys, for `look_up()`. `union_by_name()` can carry it.

    Arguments:
        key (column): The key.
        value (column): The value.
#}
{% macro entries_by_key(key, value) -%} {{ adapter.dispatch("entries_by_key", "dmail")(key, value) }} {%- endmacro %}

{% macro duckdb__entries_by_key(key, value) -%} map(list({{ key }}), list({{ value }})) {%- endmacro %}

{# A list of pairs, because Spark cannot join by a map. #}
{% macro spark__entries_by_key(key, value) -%} array_sort(collect_list(struct({{ key }}, {{ value }}))) {%- endmacro %}

{% macro postgres__entries_by_key(key, value) -%} jsonb_object_agg({{ key }}, {{ value }}) {%- endmacro %}

{#
    The value of a key, or null if there is none.

    Arguments:
        entries (column): What `entries_by_key()` returned.
        key (string): The key.
#}
{% macro look_up(entries, key) -%} {{ adapter.dispatch("look_up", "dmail")(entries, key) }} {%- endmacro %}

{% macro duckdb__look_up(entries, key) -%} {{ entries }} [{{ dmail.sql_text(key) }}] {%- endmacro %}

{% macro spark__look_up(entries, key) -%} map_from_entries({{ entries }})[{{ dmail.sql_text(key) }}] {%- endmacro %}

{% macro postgres__look_up(entries, key) -%}({{ entries }} ->> {{ dmail.sql_text(key) }}) {%- endmacro %}

{#
    The sum of the digits of a text, each changed by an expression.

    Arguments:
        text (column): The digits.
        expression (string): SQL over `digit` and its `place`, which is 1 for the last digit.
#}
{% macro digit_sum(text, expression) -%} {{ adapter.dispatch("digit_sum", "dmail")(text, expression) }} {%- endmacro %}

{% macro duckdb__digit_sum(text, expression) -%}
    list_sum(
        list_transform(
            list_transform(string_split(reverse({{ text }}), ''), lambda sign:cast(sign as integer)),
            lambda digit,
            place:{{ expression }}
        )
    )
{%- endmacro %}

{% macro spark__digit_sum(text, expression) -%}
    {% set digits %}
        transform(regexp_extract_all(reverse({{ text }}), '[0-9]', 0), sign -> cast(sign as integer))
    {% endset %}
    aggregate(
        zip_with({{ digits }}, sequence(1, length({{ text }})), (digit, place) -> {{ expression }}),
        0,
        (total, value) -> total + value
    )
{%- endmacro %}

{% macro postgres__digit_sum(text, expression) -%}
    (
        select cast(sum({{ expression }}) as integer)
        from unnest(cast(string_to_array(reverse({{ text }}), null) as integer[]))
        with ordinality as digits(digit, place)
    )
{%- endmacro %}

{#
    A text with each of its words, which single spaces separate, changed by an expression. Words that become empty or null are left out.

    Arguments:
        text (column): The text.
        expression (string): SQL over `word`.
#}
{% macro each_word(text, expression) -%} {{ adapter.dispatch("each_word", "dmail")(text, expression) }} {%- endmacro %}

{% macro duckdb__each_word(text, expression) -%}
    array_to_string(
        list_filter(
            list_transform(string_split({{ text }}, ' '), lambda word:{{ expression }}), lambda word:word <> ''
        ),
        ' '
    )
{%- endmacro %}

{% macro spark__each_word(text, expression) -%}
    array_join(filter(transform(split({{ text }}, ' '), word -> {{ expression }}), word -> word <> ''), ' ')
{%- endmacro %}

{% macro postgres__each_word(text, expression) -%}
    case
        when {{ text }} is not null
        then
            coalesce(
                (
                    select string_agg(nullif(spelled, ''), ' ' order by word_place)
                    from
                        (
                            select {{ expression }} as spelled, word_place
                            from string_to_table({{ text }}, ' ')
                            with ordinality as words(word, word_place)
                            offset 0
                        ) as spelled_words
                ),
                ''
            )
    end
{%- endmacro %}

{#
    A row for each value of a list that is not null, as a column of 64 bits: a hash of the value.

    Arguments:
        values (list[column]): The values.
#}
{% macro each_row(values) -%} {{ adapter.dispatch("each_row", "dmail")(values) }} {%- endmacro %}

{% macro duckdb__each_row(values) -%}
    unnest(list_transform([{{ values | join(", ") }}], lambda part: case when part is not null then hash(part) end))
{%- endmacro %}

{% macro spark__each_row(values) -%}
    explode(transform(array({{ values | join(", ") }}), part -> case when part is not null then xxhash64(part) end))
{%- endmacro %}

{% macro postgres__each_row(values) -%}
    unnest(
        array[
            {% for value in values %}
                case when {{ value }} is not null then hashtextextended({{ value }}, 0) end {{- "," if not loop.last }}
            {% endfor %}
        ]
    )
{%- endmacro %}

{#
    The letters of a text in order: `oak` becomes the list a, k, o.

    Arguments:
        text (column): The text.
#}
{% macro sorted_letters(text) -%} {{ adapter.dispatch("sorted_letters", "dmail")(text) }} {%- endmacro %}

{% macro duckdb__sorted_letters(text) -%} list_sort(string_split({{ text }}, '')) {%- endmacro %}

{% macro spark__sorted_letters(text) -%} array_sort(split({{ text }}, '')) {%- endmacro %}

{% macro postgres__sorted_letters(text) -%}
    (select array_agg(letter order by letter) from string_to_table({{ text }}, null) as letters(letter))
{%- endmacro %}
