{# The rows of two queries, columns matched by name; a column that one of them lacks is null there. #}
{% macro union_by_name(one, other) %} {{ return(adapter.dispatch("union_by_name", "dmail")(one, other)) }}{% endmacro %}

{% macro duckdb__union_by_name(one, other) %} {{ return(one ~ " union all by name " ~ other) }} {% endmacro %}

{# A natural join with no rows of the other gives each side the other's columns as nulls, and both the same order; the optimizer drops it. #}
{% macro spark__union_by_name(one, other) %}
    {% set one, other = "(" ~ one ~ ")", "(" ~ other ~ ")" %}
    {{
        return(
            "select * from "
            ~ one
            ~ " natural left join (select * from "
            ~ other
            ~ " where false) union all select * from (select * from "
            ~ one
            ~ " where false) natural right join "
            ~ other
        )
    }}
{% endmacro %}
