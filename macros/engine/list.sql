{# Lists, and what is told of one value several times. A list's places begin at 1. #}
{# An expression over `name`, which stands for a value that is computed once. #}
{% macro with_value(value, name, expression) -%}
    {{ adapter.dispatch("with_value", "dmail")(value, name, expression) }}
{%- endmacro %}

{% macro duckdb__with_value(value, name, expression) -%}
    list_transform([{{ value }}], lambda {{ name }}:{{ expression }})[1]
{%- endmacro %}

{% macro spark__with_value(value, name, expression) -%}
    transform(array({{ value }}), {{ name }} -> {{ expression }})[0]
{%- endmacro %}

{# The lines of a text, as a list; null for null. #}
{% macro split_lines(text) -%} {{ adapter.dispatch("split_lines", "dmail")(text) }} {%- endmacro %}

{% macro duckdb__split_lines(text) -%} string_split({{ text }}, chr(10)) {%- endmacro %}

{% macro spark__split_lines(text) -%} split({{ text }}, '\\n') {%- endmacro %}

{# The element at a place; null beyond the end. #}
{% macro list_item(list, place) -%} {{ adapter.dispatch("list_item", "dmail")(list, place) }} {%- endmacro %}

{% macro duckdb__list_item(list, place) -%} {{ list }} [{{ place }}] {%- endmacro %}

{% macro spark__list_item(list, place) -%} get({{ list }}, {{ place - 1 }}) {%- endmacro %}

{# The elements of a list of texts with a separator, a literal, between them; null for null. #}
{% macro join_list(list, separator) -%} {{ adapter.dispatch("join_list", "dmail")(list, separator) }} {%- endmacro %}

{% macro duckdb__join_list(list, separator) -%} array_to_string({{ list }}, {{ dmail.sql_text(separator) }}) {%- endmacro %}

{% macro spark__join_list(list, separator) -%} array_join({{ list }}, {{ dmail.sql_text(separator) }}) {%- endmacro %}

{# An aggregate: what is found under each key. `look_up` reads it; `union_by_name` must be able to carry it. #}
{% macro entries_by_key(key, value) -%} {{ adapter.dispatch("entries_by_key", "dmail")(key, value) }} {%- endmacro %}

{% macro duckdb__entries_by_key(key, value) -%} map(list({{ key }}), list({{ value }})) {%- endmacro %}

{# A list of pairs: Spark joins by no map. #}
{% macro spark__entries_by_key(key, value) -%} array_sort(collect_list(struct({{ key }}, {{ value }}))) {%- endmacro %}

{# What is found under a key, a literal; null where there is none. #}
{% macro look_up(entries, key) -%} {{ adapter.dispatch("look_up", "dmail")(entries, key) }} {%- endmacro %}

{% macro duckdb__look_up(entries, key) -%} {{ entries }} [{{ dmail.sql_text(key) }}] {%- endmacro %}

{% macro spark__look_up(entries, key) -%} map_from_entries({{ entries }})[{{ dmail.sql_text(key) }}] {%- endmacro %}

{# The sum over the digits of a text, each changed by an expression over `digit` and its `place`: 1 is the last digit. #}
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
    {% set digits = "transform(regexp_extract_all(reverse(" ~ text ~ "), '[0-9]', 0), sign -> cast(sign as integer))" %}
    aggregate(
        zip_with({{ digits }}, sequence(1, length({{ text }})), (digit, place) -> {{ expression }}),
        0,
        (total, value) -> total + value
    )
{%- endmacro %}
