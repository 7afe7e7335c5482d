{#
    What to select from for a source whose location is a setting.

    A CSV file is read with every column as text, so that leading zeros survive, and with nothing guessed but its delimiter: a
    `#` in an address starts no comment. A Parquet file, or a glob of them, is read as it is.
    Anything that is not a quoted file location (a table, the mock of a unit test) passes through.
#}
{% macro read_files(relation) %} {{ return(adapter.dispatch("read_files")(relation)) }}{% endmacro %}

{% macro duckdb__read_files(relation) %}
    {% set location = relation | string %}
    {% if not location.startswith("'") %} {{ return(location) }}
    {% elif location.lower().endswith(".parquet'") %} {{ return("read_parquet(" ~ location ~ ")") }}
    {% else %}
        {{
            return(
                "read_csv("
                ~ location
                ~ ", all_varchar = true, header = true, quote = '\"', escape = '\"', comment = '', sample_size = 200000)"
            )
        }}
    {% endif %}
{% endmacro %}
