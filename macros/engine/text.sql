{# Text functions that differ between engines. Formats use SQL's own functions for the rest. #}
{#
    A text as a SQL literal.

    Arguments:
        text (string): The text.
#}
{% macro sql_text(text) -%} {{ adapter.dispatch("sql_text", "dmail")(text) }} {%- endmacro %}

{% macro duckdb__sql_text(text) -%} {{ "'" ~ text | replace("'", "''") ~ "'" }} {%- endmacro %}

{% macro spark__sql_text(text) -%} {{ "'" ~ text | replace("\\", "\\\\") | replace("'", "\\'") ~ "'" }} {%- endmacro %}

{% macro postgres__sql_text(text) -%} {{ "'" ~ text | replace("'", "''") ~ "'" }} {%- endmacro %}

{#
    A text without the spaces at its ends, including Unicode's other spaces (Zs). Line breaks and tabs stay.

    Arguments:
        text (column): The text.
#}
{% macro trimmed(text) -%} {{ adapter.dispatch("trimmed", "dmail")(text) }} {%- endmacro %}

{% macro duckdb__trimmed(text) -%} trim({{ text }}) {%- endmacro %}

{% macro spark__trimmed(text) -%}
    btrim(
        {{ text }},
        '{{ " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000" }}'
    )
{%- endmacro %}

{% macro postgres__trimmed(text) -%}
    btrim(
        {{ text }},
        '{{ " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000" }}'
    )
{%- endmacro %}

{#
    A text without certain characters at its ends.

    Arguments:
        text (column): The text.
        signs (column): The characters, as one text.
#}
{% macro trimmed_of(text, signs) -%} {{ adapter.dispatch("trimmed_of", "dmail")(text, signs) }} {%- endmacro %}

{% macro duckdb__trimmed_of(text, signs) -%} trim({{ text }}, {{ signs }}) {%- endmacro %}

{% macro spark__trimmed_of(text, signs) -%} btrim({{ text }}, {{ signs }}) {%- endmacro %}

{% macro postgres__trimmed_of(text, signs) -%} btrim({{ text }}, {{ signs }}) {%- endmacro %}

{#
    Whether a text begins with another one.

    Arguments:
        text (column): The text.
        beginning (string): Its beginning.
#}
{% macro begins_with(text, beginning) -%}
    {{ adapter.dispatch("begins_with", "dmail")(text, beginning) }}
{%- endmacro %}

{% macro duckdb__begins_with(text, beginning) -%}
    starts_with({{ text }}, {{ dmail.sql_text(beginning) }})
{%- endmacro %}

{% macro spark__begins_with(text, beginning) -%} startswith({{ text }}, {{ dmail.sql_text(beginning) }}) {%- endmacro %}

{% macro postgres__begins_with(text, beginning) -%}
    starts_with({{ text }}, {{ dmail.sql_text(beginning) }})
{%- endmacro %}

{#
    A column as trimmed text, or null if nothing is left.

    Arguments:
        column (column): The column.
#}
{% macro blank_to_null(column) -%} nullif({{ dmail.trimmed("cast(" ~ column ~ " as string)") }}, '') {%- endmacro %}
