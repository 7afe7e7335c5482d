{#
    Files as Spark tables of their own: a query cannot give Spark the options of a CSV file, and a folder that is not there yet is an
    empty table. They are named after all that they are made of, so that a file that has changed is another table.
#}
{% macro spark__read_files(relation, otherwise) %}
    {% if not execute %} {{ return(relation) }} {% endif %}
    {% set location = dmail.spark_location(relation) %}
    {% if not location.startswith("'") %} {{ return(location) }} {% endif %}
    {% set path = dmail.spark_path(location[1:-1].replace("''", "'")) %}
    {% if otherwise %} {{ return(dmail.spark_folder(path, otherwise)) }}
    {% elif path.lower().endswith(".parquet") %} {{ return("parquet.`" ~ path.replace("`", "``") ~ "`") }}
    {% else %} {{ return(dmail.spark_csv(path)) }}
    {% endif %}
{% endmacro %}

{# Where a source's files are, in quotes: what dbt's adapter for DuckDB sees to by itself. #}
{% macro spark_location(relation) %}
    {% set name = relation | string %}
    {% for source in graph.sources.values() if source.relation_name == name %}
        {{ return(source.config.meta.external_location or name) }}
    {% endfor %}
    {{ return(name) }}
{% endmacro %}

{# A location as every machine of the cluster sees it: a relative one starts at the project. #}
{% macro spark_path(location) %}
    {% set absolute = location.startswith("/") or "://" in location %}
    {{ return(location if absolute else invocation_args_dict["project_dir"] ~ "/" ~ location) }}
{% endmacro %}

{#
    A CSV file with every column as text, by the delimiter of its first line. A row of another width stops the query, and so does a
    file of several whose columns stand in another order.
#}
{% macro spark_csv(path) %}
    {% set lines = run_query("select value from text.`" ~ path.replace("`", "``") ~ "` limit 1").rows %}
    {% set line = (lines[0][0] or "") if lines else "" %}
    {% set counts = {} %}
    {% for sign in [",", ";", "\t", "|"] %} {% do counts.update({sign: line.count(sign)}) %} {% endfor %}
    {% set options = {
        "header": "true",
        "delimiter": (counts | dictsort(by="value", reverse=true))[0][0],
        "quote": '"',
        "escape": '"',
        "multiLine": "true",
        "mode": "FAILFAST",
        "enforceSchema": "false",
    } %}
    {{ return(dmail.spark_table("csv", path, options, line)) }}
{% endmacro %}

{#
    The Parquet files that a glob finds, which may be none, in a folder that may not be there.

    Arguments:
        path     such as FOLDER/*/contacts.parquet; `*` and `[0-9]` stand within one name
        columns  column -> type
#}
{% macro spark_folder(path, columns) %}
    {% set folder, name = modules.re.split("/[^/]*[*\\[]", path)[0], path.split("/")[-1] %}
    {% set folder = folder if folder != path else path[: -(name | length + 1)] %}
    {% set options = {"recursiveFileLookup": "true", "pathGlobFilter": name} %}
    {% set schema = [] %}
    {% for name, type in columns.items() %} {% do schema.append(name ~ " " ~ type) %} {% endfor %}
    {% set table = dmail.spark_table("parquet", folder, options, schema=schema | join(", ")) %}
    {# Spark looks below a folder at whatever depth, and tells of places as of URLs. #}
    {% set found = modules.re.sub("([.+(){}])", "\\\\\\1", path[folder | length :]).replace("*", "[^/]*") ~ "$" %}
    {{
        return(
            "(select " ~ columns
            | join(", ")
            ~ " from "
            ~ table
            ~ " where url_decode(replace(_metadata.file_path, '+', '%2B')) rlike "
            ~ dmail.sql_text("/" ~ modules.re.escape(folder.split("/")[-1]) ~ found)
            ~ ")"
        )
    }}
{% endmacro %}

{# An external table over files: its name. `fingerprint`: what makes it another table besides its definition. #}
{% macro spark_table(format, path, options, fingerprint="", schema="") %}
    {% set given = [] %}
    {% for name, value in options.items() %} {% do given.append(name ~ " = " ~ dmail.sql_text(value)) %} {% endfor %}
    {% set definition %}
        {{ "(" ~ schema ~ ")" if schema }} using {{ format }} options ({{ given | join(", ") }})
        location {{ dmail.sql_text(path) }}
    {% endset %}
    {% set name = target.schema ~ ".files_" ~ local_md5(definition ~ fingerprint) %}
    {% do run_query("create schema if not exists " ~ target.schema) %}
    {% do run_query("create table if not exists " ~ name ~ definition) %}
    {% do run_query("refresh table " ~ name) %}
    {{ return(name) }}
{% endmacro %}
