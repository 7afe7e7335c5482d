{#
    What the formats need and no two engines spell alike: regular expressions over a whole text, lists, letters without accents.
    The formats keep otherwise to functions that DuckDB and Spark share, or asks here.
#}
{# The text with every match replaced; `\1` stands for the first group. #}
{% macro replace_all(text, pattern, replacement) -%}
    {{ adapter.dispatch("replace_all")(text, pattern, replacement) }}
{%- endmacro %}

{% macro duckdb__replace_all(text, pattern, replacement) -%}
    regexp_replace({{ text }}, {{ sql_text(pattern) }}, {{ sql_text(replacement) }}, 'g')
{%- endmacro %}

{# Whether the pattern occurs in the text. #}
{% macro matches(text, pattern) -%} {{ adapter.dispatch("matches")(text, pattern) }} {%- endmacro %}

{% macro duckdb__matches(text, pattern) -%} regexp_matches({{ text }}, {{ sql_text(pattern) }}) {%- endmacro %}

{# The matches of the pattern, each changed by an expression over `part`, joined again. #}
{% macro each_part(text, pattern, expression) -%}
    {{ adapter.dispatch("each_part")(text, pattern, expression) }}
{%- endmacro %}

{% macro duckdb__each_part(text, pattern, expression) -%}
    array_to_string(
        list_transform(regexp_extract_all({{ text }}, {{ sql_text(pattern) }}), lambda part:{{ expression }}), ''
    )
{%- endmacro %}

{# The sum over the digits of a text, each changed by an expression over `digit` and its `place`: 1 is the last digit. #}
{% macro digit_sum(text, expression) -%} {{ adapter.dispatch("digit_sum")(text, expression) }} {%- endmacro %}

{% macro duckdb__digit_sum(text, expression) -%}
    list_sum(
        list_transform(
            list_transform(string_split(reverse({{ text }}), ''), lambda sign:cast(sign as integer)),
            lambda digit,
            place:{{ expression }}
        )
    )
{%- endmacro %}

{# Every letter without its accents and marks: é is e. A letter with a stroke through it stays. #}
{% macro without_accents(text) -%} {{ adapter.dispatch("without_accents")(text) }} {%- endmacro %}

{% macro duckdb__without_accents(text) -%} strip_accents({{ text }}) {%- endmacro %}

{# Letter and accent as one character, wherever there is one: sources write é in two ways. #}
{% macro composed(text) -%} {{ adapter.dispatch("composed")(text) }} {%- endmacro %}

{% macro duckdb__composed(text) -%} nfc_normalize({{ text }}) {%- endmacro %}

{# A text as a SQL literal. #}
{% macro sql_text(text) -%} {{ "'" ~ text | replace("'", "''") ~ "'" }} {%- endmacro %}

{# The column as text, its ends trimmed; null where nothing is left. #}
{% macro blank_to_null(column) -%} nullif(trim(cast({{ column }} as varchar)), '') {%- endmacro %}
