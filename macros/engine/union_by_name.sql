{#
    The rows of two queries. Columns are matched by name, and a column that one query lacks is null there.

    Arguments:
        one (string): A query.
        other (string): The other query.
#}
{% macro union_by_name(one, other) %}
    {{ return(adapter.dispatch("union_by_name", "dmail")(one, other)) }}
{% endmacro %}

{% macro duckdb__union_by_name(one, other) %} {{ return(one ~ " union all by name " ~ other) }} {% endmacro %}

{#
    A natural join with no rows of the other query gives each query the columns of both, as nulls and in the same order. The optimizer
    removes the join.
#}
{% macro spark__union_by_name(one, other) %}
    {% set query %}
        select * from ({{ one }}) natural left join (select * from ({{ other }}) where false)
        union all
        select * from (select * from ({{ one }}) where false) natural right join ({{ other }})
    {% endset %}
    {{ return(query) }}
{% endmacro %}

{% macro postgres__union_by_name(one, other) %}
    {% set query %}
        select * from ({{ one }}) as one natural left join (select * from ({{ other }}) as every where false) as other
        union all
        select * from (select * from ({{ one }}) as every where false) as one natural right join ({{ other }}) as other
    {% endset %}
    {{ return(query) }}
{% endmacro %}
