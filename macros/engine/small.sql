{#
    A relation that is small beside the one that it is joined to, such as a seed beside the profiles: a query with its rows.

    DuckDB builds the hash table of a join from the side for which it expects fewer rows. It expects 42 rows of a CSV file, whatever its
    size, and would hold the profiles in memory. Rows that come out of a list are expected to be one.

    Arguments:
        relation (relation): The relation.
#}
{% macro small(relation) -%} {{ adapter.dispatch("small", "dmail")(relation) }} {%- endmacro %}

{% macro duckdb__small(relation) -%}
    (select unnest(rows, max_depth := 2) from (select list(entry) as rows from {{ relation }} as entry))
{%- endmacro %}

{% macro spark__small(relation) -%} {{ relation }} {%- endmacro %}

{% macro postgres__small(relation) -%} {{ relation }} {%- endmacro %}
