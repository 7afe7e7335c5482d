{#
    A source's column as a type, or null if the value cannot be read. A timestamp is 2027-03-01, optionally with a time and an
    offset, which is ignored. A number is 1234.56. An integer is rounded, half away from zero.

    Arguments:
        column (column): The column.
        type (string): The SQL type.
#}
{% macro read_as(column, type) -%} {{ adapter.dispatch("read_as", "dmail")(column, type) }} {%- endmacro %}

{% macro duckdb__read_as(column, type) -%} try_cast({{ column }} as {{ type }}) {%- endmacro %}

{% macro spark__read_as(column, type) -%}
    {# Spark would also accept 2027 and 2027-03, and truncate where it should round. #}
    {% set day, time = "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", "[0-9]{1,2}:[0-9]{1,2}(?::[0-9]{1,2}(?:\\.[0-9]*)?)?" %}
    {% set moment = "^(" ~ day ~ "(?:[ T]" ~ time ~ ")?)(?: ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?$" %}
    {%- if type == "timestamp" -%}
        try_cast(
            regexp_extract(
                translate(cast({{ column }} as string), '/', '-'), {{ dmail.java_pattern(moment) }}, 1
            ) as timestamp
        )
    {%- elif type == "integer" -%} try_cast(round(try_cast({{ column }} as decimal(38, 9))) as integer)
    {%- else -%} try_cast({{ column }} as {{ type }})
    {%- endif -%}
{%- endmacro %}

{% macro postgres__read_as(column, type) -%}
    {%- if type in ["timestamp", "date"] -%} dmail_{{ type }} ({{ column }})
    {%- elif type == "integer" -%} dmail_integer(dmail_numeric({{ column }}, 38, 0))
    {%- elif type.startswith("decimal") -%}
        cast(dmail_numeric({{ column }}, {{ type.split("(")[1].rstrip(")") }}) as {{ type }})
    {%- else -%} {{ exceptions.raise_compiler_error("read_as(): on PostgreSQL a text cannot be read as " ~ type) }}
    {%- endif -%}
{%- endmacro %}
