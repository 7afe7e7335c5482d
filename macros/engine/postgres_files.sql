{#
    Files, as tables of PostgreSQL: the server cannot read the files of another machine. `copy_files()` has copied them. A file that
    was not there is a table that does not exist.
#}
{% macro postgres__read_files(relation, otherwise) %}
    {% if not execute %} {{ return(relation) }} {% endif %}
    {% set source = dmail.postgres_source(relation) %}
    {% if not source or not source.config.meta.external_location %} {{ return(relation) }} {% endif %}
    {% set copy = api.Relation.create(
        database=target.dbname, schema=target.schema, identifier=dmail.postgres_copy_of(source)
    ) %}
    {% set columns = adapter.get_columns_in_relation(copy) | map(attribute="name") | list %}
    {% if columns and not otherwise %} {{ return(copy) }}
    {% elif not otherwise %}
        {{
            exceptions.raise_compiler_error(
                source.config.meta.external_location
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

{# The source that a relation is, or nothing for the mock of a unit test. #}
{% macro postgres_source(relation) %}
    {% for source in graph.sources.values() if source.relation_name == relation | string %}
        {{ return(source) }}
    {% endfor %}
{% endmacro %}

{# The name of the table with the rows of a source's files. #}
{% macro postgres_copy_of(source) %} {{ return("files_" ~ source.source_name ~ "_" ~ source.name) }} {% endmacro %}
