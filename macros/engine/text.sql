{# Texts. What is not here, the formats take from functions that the engines share. #}
{# A text as a SQL literal. #}
{% macro sql_text(text) -%} {{ adapter.dispatch("sql_text", "dmail")(text) }} {%- endmacro %}

{% macro duckdb__sql_text(text) -%} {{ "'" ~ text | replace("'", "''") ~ "'" }} {%- endmacro %}

{% macro spark__sql_text(text) -%} {{ "'" ~ text | replace("\\", "\\\\") | replace("'", "\\'") ~ "'" }} {%- endmacro %}

{# A text without the spaces at its ends, Unicode's other spaces (Zs) among them; no line break, no tab. #}
{% macro trimmed(text) -%} {{ adapter.dispatch("trimmed", "dmail")(text) }} {%- endmacro %}

{% macro duckdb__trimmed(text) -%} trim({{ text }}) {%- endmacro %}

{% macro spark__trimmed(text) -%}
    btrim(
        {{ text }},
        '{{ " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000" }}'
    )
{%- endmacro %}

{# A text without any of these signs, SQL, at its ends. #}
{% macro trimmed_of(text, signs) -%} {{ adapter.dispatch("trimmed_of", "dmail")(text, signs) }} {%- endmacro %}

{% macro duckdb__trimmed_of(text, signs) -%} trim({{ text }}, {{ signs }}) {%- endmacro %}

{% macro spark__trimmed_of(text, signs) -%} btrim({{ text }}, {{ signs }}) {%- endmacro %}

{# Whether a text begins with another, a literal. #}
{% macro begins_with(text, beginning) -%} {{ adapter.dispatch("begins_with", "dmail")(text, beginning) }} {%- endmacro %}

{% macro duckdb__begins_with(text, beginning) -%} starts_with({{ text }}, {{ dmail.sql_text(beginning) }}) {%- endmacro %}

{% macro spark__begins_with(text, beginning) -%} startswith({{ text }}, {{ dmail.sql_text(beginning) }}) {%- endmacro %}

{# The column as text, its ends trimmed; null where nothing is left. #}
{% macro blank_to_null(column) -%} nullif({{ dmail.trimmed("cast(" ~ column ~ " as string)") }}, '') {%- endmacro %}
