{#
    Files, as tables of PostgreSQL: the server cannot read the files of another machine. `postgres_copy_files()` has copied them. A file
    that was not there is a table that does not exist.
#}
{% macro postgres__read_files(relation, otherwise) %}
    {% set location = dmail.postgres_location(relation) if execute else none %}
    {% if not location %} {{ return(relation) }} {% endif %}
    {% set copy = api.Relation.create(
        database=target.dbname, schema=target.schema, identifier=dmail.postgres_copy_of(location)
    ) %}
    {% set columns = adapter.get_columns_in_relation(copy) | map(attribute="name") | list %}
    {% if columns and not otherwise %} {{ return(copy) }}
    {% elif not otherwise %}
        {{
            exceptions.raise_compiler_error(
                location
                ~ " has not been copied to PostgreSQL: `dmail-runner run CAMPAIGN --dry-run` copies the files, and builds"
            )
        }}
    {% endif %}
    {# Without files the table is empty, and files of earlier versions may lack columns. #}
    {% set lacking = [] %}
    {% for name, type in otherwise.items() if name not in columns %}
        {% do lacking.append("add column if not exists " ~ name ~ " " ~ type) %}
    {% endfor %}
    {% if lacking %}
        {% do dmail.postgres_prepare() %}
        {% do run_query(
            "create table if not exists " ~ copy ~ " (); alter table " ~ copy ~ " " ~ lacking | join(", ")
        ) %}
    {% endif %}
    {{ return(copy) }}
{% endmacro %}

{# The location of the files that a relation stands for. There is none for tables, and for the mock of a unit test. #}
{% macro postgres_location(relation) %}
    {% set name = relation | string %}
    {% if name.startswith("'") %} {{ return(name) }} {% endif %}
    {% for source in graph.sources.values() if source.relation_name == name %}
        {{ return(source.config.meta.external_location) }}
    {% endfor %}
    {{ return(none) }}
{% endmacro %}

{# The table with the rows of a location's files. #}
{% macro postgres_copy_of(location) %} {{ return("files_" ~ local_md5(location)[:16]) }} {% endmacro %}

{#
    Copies the files of all sources into tables of a PostgreSQL server, and those that a run reads besides. It runs on DuckDB, which
    reads them as it does for its own models, and has the server attached as `dmail_server`. The runner calls it before each build.
#}
{% macro postgres_copy_files(schema) %}
    {% set locations = [] %}
    {% for source in graph.sources.values() if source.config.meta.external_location %}
        {% do locations.append(source.config.meta.external_location) %}
    {% endfor %}
    {% for file in [dmail.original().file, dmail.this_wave().audience] if file %}
        {% do locations.append(dmail.sql_text(file)) %}
    {% endfor %}
    {% do run_query("create schema if not exists dmail_server." ~ adapter.quote(schema)) %}
    {# Copies of other locations, such as those of an earlier setting, would keep people for ever. #}
    {% set copies = [] %}
    {% for location in locations %} {% do copies.append(dmail.postgres_copy_of(location)) %} {% endfor %}
    {% set found %}
        select table_name
        from duckdb_tables()
        where
            database_name = 'dmail_server'
            and schema_name = {{ dmail.sql_text(schema) }}
            and regexp_full_match(table_name, 'files_[0-9a-f]{16}')
    {% endset %}
    {% for row in run_query(found).rows if row[0] not in copies %}
        {% do run_query("drop table dmail_server." ~ adapter.quote(schema) ~ "." ~ row[0] ~ " cascade") %}
    {% endfor %}
    {% for location in locations | unique if location.startswith("'") %}
        {# The runner shows it with an error. #}
        {% do log("while copying " ~ location ~ " to the server", info=true) %}
        {% set copy = "dmail_server." ~ adapter.quote(schema) ~ "." ~ dmail.postgres_copy_of(location) %}
        {% set sql %}
            begin;
            drop table if exists {{ copy }} cascade;
            {% if dmail.duckdb__files(location) %}
                create table {{ copy }} as {{ dmail.postgres_copied_rows(location) }};
            {% endif %}
            commit;
        {% endset %}
        {% do run_query(sql) %}
    {% endfor %}
{% endmacro %}

{# The rows of a location's files. PostgreSQL stores no NUL: another control character, which formats treat alike, stands for it. #}
{% macro postgres_copied_rows(location) %}
    {% if location.lower().endswith(".parquet'") %}
        {% set rows = dmail.duckdb__parquet(location, ", union_by_name = true") %}
    {% else %} {% set rows = dmail.duckdb__read_files(location, none) %}
    {% endif %}
    {% set values = [] %}
    {% for column in run_query("describe select * from " ~ rows).rows %}
        {% set name = adapter.quote(column[0].replace('"', '""')) %}
        {% do values.append(("replace(" ~ name ~ ", chr(0), chr(1)) as " if column[1] == "VARCHAR" else "") ~ name) %}
    {% endfor %}
    {{ return("select " ~ values | join(", ") ~ " from " ~ rows) }}
{% endmacro %}
