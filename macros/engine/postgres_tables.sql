{#
    Overrides of dbt's macros for PostgreSQL: before it builds a model or a seed, the schema gets the functions that models call, and a
    model's query is written as PostgreSQL can run it.
#}
{% macro postgres__create_table_as(temporary, relation, sql) %}
    {% do dmail.postgres_prepare() %}
    {{ return(dbt.postgres__create_table_as(temporary, relation, dmail.postgres_query(sql))) }}
{% endmacro %}

{% macro postgres__create_view_as(relation, sql) %}
    {% do dmail.postgres_prepare() %} {{ return(dbt.default__create_view_as(relation, dmail.postgres_query(sql))) }}
{% endmacro %}

{% macro postgres__create_csv_table(model, agate_table) %}
    {% do dmail.postgres_prepare() %} {{ return(dbt.default__create_csv_table(model, agate_table)) }}
{% endmacro %}

{# What dbt compares a contract with. #}
{% macro postgres__get_empty_subquery_sql(select_sql, select_sql_header=none) %}
    {% do dmail.postgres_prepare() %}
    {{ return(dbt.default__get_empty_subquery_sql(dmail.postgres_query(select_sql), select_sql_header)) }}
{% endmacro %}

{#
    A query as PostgreSQL runs it:

    - What `star_except()` left is replaced by the columns, which the server is asked for: `people.* /* except gone */`.
    - Each common table expression is materialised. Otherwise the planner would put each expression in place of its name, in every step
      after it, and compute it as often.
    - The number of an interval is in quotes: `interval '28' day`.

    Arguments:
        sql (string): The query.
#}
{% macro postgres_query(sql) %}
    {# Texts, names and comments; stars; and what tells where a step begins and ends. #}
    {% set tokens = "'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|(?:\\w+\\.)?\\* /\\* except .*?\\*/|/\\*.*?\\*/|\\bas \\(|\\binterval \\d+ |[(),]|\\bwith\\b|\\bselect\\b" %}
    {% set written, at = [], namespace(end=0, length=0) %}
    {% set levels = [{"with": none, "cut": none, "main": false}] %}
    {% for token in modules.re.finditer(tokens, sql, modules.re.DOTALL) %}
        {% do written.append(sql[at.end : token.start()]) %}
        {% set at.length = at.length + token.start() - at.end %}
        {% set at.end = token.end() %}
        {% set word, level = token.group(), levels[-1] %}
        {% set in_with = level["with"] is not none and not level.main %}
        {% if word == "as (" and in_with %} {% set word = "as materialized (" %} {% endif %}
        {% if word.endswith("(") %} {% do levels.append({"with": none, "cut": none, "main": false}) %}
        {% elif word == ")" %} {% do levels.pop() %}
        {% elif word == "with" and level["with"] is none and not level.main %}
            {% do level.update({"with": at.length}) %}
        {% elif word == "," and in_with %} {% do level.update({"cut": at.length}) %}
        {% elif word == "select" and not level.main %} {% do level.update({"main": true, "cut": at.length}) %}
        {% elif word.startswith("interval ") %}
            {% set word = "interval '" ~ word.split(" ")[1] ~ "' " %}
            {% elif " /* except " in word %}
            {% set word = dmail.postgres_columns(word, written | join, sql[at.end :], levels) %}
        {% endif %}
        {% do written.append(word) %}
        {% set at.length = at.length + word | length %}
    {% endfor %}
    {% do written.append(sql[at.end :]) %} {{ return(written | join) }}
{% endmacro %}

{# The columns in place of a star. `before` and `after` are the query around it, and `levels` where the steps in `before` begin and end. #}
{% macro postgres_columns(star, before, after, levels) %}
    {% set parts = modules.re.fullmatch("(?:(\\w+)\\.)?\\* /\\* except (.*?) ?\\*/", star, modules.re.DOTALL) %}
    {% set left_out = modules.re.findall("\\w+", parts.group(2)) %}
    {% set depth = namespace(number=0, relation=parts.group(1)) %}
    {% for token in modules.re.finditer("'(?:[^']|'')*'|[()]|\\bfrom\\s+([\\w.\"]+)", after) if not depth.relation %}
        {% if token.group() == "(" %} {% set depth.number = depth.number + 1 %}
        {% elif token.group() == ")" %} {% set depth.number = depth.number - 1 %}
        {% elif token.group(1) and depth.number == 0 %} {% set depth.relation = token.group(1) %}
        {% endif %}
    {% endfor %}
    {% set query = namespace(sql="select * from " ~ depth.relation) %}
    {% for level in levels | reverse if level["with"] is not none and level.cut is not none %}
        {% set query.sql = before[level["with"] : level.cut] ~ " select * from (" ~ query.sql ~ ") as described" %}
    {% endfor %}
    {% set columns = [] %}
    {% for column in run_query(query.sql ~ " limit 0").column_names if column not in left_out %}
        {% do columns.append((parts.group(1) ~ "." if parts.group(1) else "") ~ adapter.quote(column)) %}
    {% endfor %}
    {{ return(columns | join(", ")) }}
{% endmacro %}
