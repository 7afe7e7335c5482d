{#
    An expression that stops the query with a message as soon as it is evaluated.

    Arguments:
        message (column): The message, a text expression without personal data.
#}
{% macro fail(message) %} {{ return(adapter.dispatch("fail", "dmail")(message)) }}{% endmacro %}

{% macro duckdb__fail(message) %} {{ return("error(" ~ message ~ ")") }} {% endmacro %}

{% macro spark__fail(message) %} {{ return("raise_error(" ~ message ~ ")") }} {% endmacro %}

{% macro postgres__fail(message) %} {{ return("dmail_fail(" ~ message ~ ")") }} {% endmacro %}
