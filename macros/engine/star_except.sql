{# Every column but these. #}
{% macro star_except(columns) %} {{ return(adapter.dispatch("star_except")(columns)) }}{% endmacro %}

{% macro duckdb__star_except(columns) %} {{ return("* exclude (" ~ columns | join(", ") ~ ")") }} {% endmacro %}
