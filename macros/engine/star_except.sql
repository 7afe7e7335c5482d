{#
    All columns except the given ones.

    Arguments:
        columns (list[string]): The columns to leave out.
        relation (optional[string]): The relation of the columns, if the query has several.
#}
{% macro star_except(columns, relation=none) %}
    {{ return(adapter.dispatch("star_except", "dmail")(columns, relation)) }}
{% endmacro %}

{% macro duckdb__star_except(columns, relation) %}
    {{ return((relation ~ "." if relation else "") ~ "* exclude (" ~ columns | join(", ") ~ ")") }}
{% endmacro %}

{# Spark 3 has no `except`, but takes a regular expression for a column (quotedRegexColumnNames). #}
{% macro spark__star_except(columns, relation) %}
    {{ return((relation ~ "." if relation else "") ~ "`(?i)^(?!(?:" ~ columns | join("|") ~ ")$).*$`") }}
{% endmacro %}

{# PostgreSQL has nothing of the kind: `postgres_query()` writes the columns out before it builds the model. #}
{% macro postgres__star_except(columns, relation) %}
    {{ return((relation ~ "." if relation else "") ~ "* /* except " ~ columns | join(", ") ~ " */") }}
{% endmacro %}
