{#
    Files, as external tables of Spark: a query cannot give Spark the options of a CSV file, and a folder that does not exist yet must
    be an empty table. A table's name is a hash of its definition, so that another definition is another table.
#}
{% macro spark__read_files(relation, otherwise) %}
    {% if not execute %} {{ return(relation) }} {% endif %}
    {% set location = dmail.spark_location(relation) %}
    {% if not location.startswith("'") %} {{ return(location) }} {% endif %}
    {% set path = dmail.spark_path(location[1:-1].replace("''", "'")) %}
    {% if otherwise %} {{ return(dmail.spark_folder(path, otherwise)) }}
    {% elif path.lower().endswith(".parquet") %} {{ return("parquet.`" ~ path.replace("`", "``") ~ "`") }}
    {% elif path.lower().endswith((".xlsx", ".zip")) %}
        {{ exceptions.raise_compiler_error("Spark cannot read " ~ path ~ ": save it as CSV, or as CSV with gzip") }}
    {% else %} {{ return(dmail.spark_csv(path, dmail.duckdb__encoding(location))) }}
    {% endif %}
{% endmacro %}

{# The quoted location of a source's files, which the adapter for DuckDB resolves by itself. #}
{% macro spark_location(relation) %}
    {% set name = relation | string %}
    {% for source in graph.sources.values() if source.relation_name == name %}
        {{ return(source.config.meta.external_location or name) }}
    {% endfor %}
    {{ return(name) }}
{% endmacro %}

{# A location as an absolute path or URL, because the machines of the cluster have another working directory. #}
{% macro spark_path(location) %}
    {% set absolute = location.startswith("/") or "://" in location %}
    {{ return(location if absolute else invocation_args_dict["project_dir"] ~ "/" ~ location) }}
{% endmacro %}

{#
    A table over a CSV file, or a glob of several, with every column as text and the delimiter of the first line. Rows of another
    width, and files with another order of columns, stop the query.
#}
{% macro spark_csv(path, encoding=none) %}
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
    {% if encoding %} {% do options.update({"encoding": encoding}) %} {% endif %}
    {% if line.lower().startswith("sep=") %}
        {{
            exceptions.raise_compiler_error(
                "the first line of " ~ path ~ " is " ~ line ~ ", which Spark does not support: remove it"
            )
        }}
    {% endif %}
    {{ return(dmail.spark_table("csv", path, options, line)) }}
{% endmacro %}

{#
    The Parquet files that a glob finds, as a subquery. There may be no files, and the folder may not exist. `path` is such as
    FOLDER/*/contacts.parquet, where `*` and `[0-9]` match within one name. `columns` is column -> type.
#}
{% macro spark_folder(path, columns) %}
    {% set folder, name = modules.re.split("/[^/]*[*\\[]", path)[0], path.split("/")[-1] %}
    {% set folder = folder if folder != path else path[: -(name | length + 1)] %}
    {% set options = {"recursiveFileLookup": "true", "pathGlobFilter": name} %}
    {% set schema = [] %}
    {% for name, type in columns.items() %} {% do schema.append(name ~ " " ~ type) %} {% endfor %}
    {% set table = dmail.spark_table("parquet", folder, options, schema=schema | join(", ")) %}
    {# Spark searches below the folder at any depth, and reports paths as URLs. #}
    {% set glob = modules.re.sub("([.+(){}])", "\\\\\\1", path[folder | length :]).replace("*", "[^/]*") ~ "$" %}
    {% set pattern = "/" ~ modules.re.escape(folder.split("/")[-1]) ~ glob %}
    {% set query %}
        (
            select {{ columns | join(", ") }}
            from {{ table }}
            where url_decode(replace(_metadata.file_path, '+', '%2B')) rlike {{ dmail.sql_text(pattern) }}
        )
    {% endset %}
    {{ return(query) }}
{% endmacro %}

{# The name of an external table over files, which is created if necessary. A change of `fingerprint` makes it another table. #}
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
