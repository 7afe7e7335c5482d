{# Every column but these, of `relation` where one is given. #}
{% macro star_except(columns, relation=none) %}
    {{ return(adapter.dispatch("star_except", "dmail")(columns, relation)) }}
{% endmacro %}

{% macro duckdb__star_except(columns, relation) %}
    {{ return((relation ~ "." if relation else "") ~ "* exclude (" ~ columns | join(", ") ~ ")") }}
{% endmacro %}

{# A column's name as a regular expression (quotedRegexColumnNames): Spark 3 has no `except`. #}
{% macro spark__star_except(columns, relation) %}
    {{ return((relation ~ "." if relation else "") ~ "`(?i)^(?!(?:" ~ columns | join("|") ~ ")$).*$`") }}
{% endmacro %}
