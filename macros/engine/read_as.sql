{#
    A source's column as a type; null where it cannot be read. Texts: a timestamp is 2027-03-01, or with a time and whatever offset,
    which is passed over; a number is 1234.56, to an integer rounded half away from zero.
#}
{% macro read_as(column, type) -%} {{ adapter.dispatch("read_as", "dmail")(column, type) }} {%- endmacro %}

{% macro duckdb__read_as(column, type) -%} try_cast({{ column }} as {{ type }}) {%- endmacro %}

{% macro spark__read_as(column, type) -%}
    {# Spark also reads 2027 and 2027-03, and cuts where it should round. #}
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
