{# An expression that stops the query with a message (a text expression without personal data) as soon as it is evaluated. #}
{% macro fail(message) %} {{ return(adapter.dispatch("fail", "dmail")(message)) }}{% endmacro %}

{% macro duckdb__fail(message) %} {{ return("error(" ~ message ~ ")") }} {% endmacro %}

{% macro spark__fail(message) %} {{ return("raise_error(" ~ message ~ ")") }} {% endmacro %}
