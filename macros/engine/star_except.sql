{# Every column but these, of `relation` where one is given. #}
{% macro star_except(columns, relation=none) %}
    {{ return(adapter.dispatch("star_except")(columns, relation)) }}
{% endmacro %}

{% macro duckdb__star_except(columns, relation) %}
    {{ return((relation ~ "." if relation else "") ~ "* exclude (" ~ columns | join(", ") ~ ")") }}
{% endmacro %}
