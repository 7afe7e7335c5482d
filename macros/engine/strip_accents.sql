{# Letters without their accents. #}
{% macro strip_accents(text) %} {{ return(adapter.dispatch("strip_accents")(text)) }}{% endmacro %}

{% macro duckdb__strip_accents(text) %} {{ return("strip_accents(" ~ text ~ ")") }} {% endmacro %}
