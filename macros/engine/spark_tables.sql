{#
    Overrides of dbt-spark. A table is a folder of Parquet files below DMAIL_SPARK_WAREHOUSE, where the runner reads it. It overwrites
    what a killed build has left there.
#}
{% macro spark__location_clause() %} location {{ dmail.sql_text(dmail.spark_folder_of(model.alias)) }} {% endmacro %}

{% macro spark__file_format_clause() %} using parquet {% endmacro %}

{# The absolute path of a table's folder. #}
{% macro spark_folder_of(name) %}
    {{ return(dmail.spark_path(env_var("DMAIL_SPARK_WAREHOUSE", ".dmail/spark")) ~ "/" ~ name) }}
{% endmacro %}

{# A contract's not_null constraints, which Parquet cannot enforce: they are checked when the table is written. #}
{% macro spark__persist_constraints(relation, model) %}
    {% for name, column in model.columns.items() %}
        {% if column.constraints | selectattr("type", "equalto", "not_null") | list %}
            {% set rows = run_query("select count(*) from " ~ relation ~ " where " ~ name ~ " is null").rows %}
            {% if rows[0][0] %}
                {% set column = relation.identifier ~ "." ~ name %}
                {{
                    exceptions.raise_compiler_error(
                        "NOT NULL constraint failed: " ~ column ~ " (" ~ rows[0][0] ~ " rows)"
                    )
                }}
            {% endif %}
        {% endif %}
    {% endfor %}
{% endmacro %}

{# Loads the rows of a seed. dbt-spark's own macro mishandles nulls and apostrophes. #}
{% macro spark__load_csv_rows(model, agate_table) %}
    {% set types = model.config.get("column_types", {}) %}
    {% set columns = [] %}
    {% for name in agate_table.column_names %}
        {% set type = types.get(name) or adapter.convert_type(agate_table, loop.index0) %}
        {% do columns.append("cast(" ~ name ~ " as " ~ type ~ ") as " ~ name) %}
    {% endfor %}
    {% set rows = [] %}
    {% for row in agate_table.rows %}
        {% set values = [] %}
        {% for value in row %}
            {% do values.append("null" if value is none else dmail.sql_text(value | string)) %}
        {% endfor %}
        {% do rows.append("(" ~ values | join(", ") ~ ")") %}
    {% endfor %}
    {% set nothing = ["null"] * agate_table.column_names | length %}
    {% set sql %}
        insert overwrite {{ this }}
        select {{ columns | join(", ") }}
        from values {{ rows | join(", ") if rows else "(" ~ nothing | join(", ") ~ ")" }}
        as given({{ agate_table.column_names | join(", ") }})
        {{ "where false" if not rows }}
    {% endset %}
    {% do run_query(sql) %} {{ return(sql) }}
{% endmacro %}
