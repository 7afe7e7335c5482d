{# The rows of two queries, columns matched by name; a column that one of them lacks is null there. #}
{% macro union_by_name(one, other) %} {{ return(adapter.dispatch("union_by_name")(one, other)) }}{% endmacro %}

{% macro duckdb__union_by_name(one, other) %} {{ return(one ~ " union all by name " ~ other) }} {% endmacro %}
