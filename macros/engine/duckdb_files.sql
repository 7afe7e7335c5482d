{# Files, as DuckDB's table functions read them. #}
{% macro duckdb__read_files(relation, otherwise) %}
    {% set location = relation | string %}
    {% if not location.startswith("'") %} {{ return(location) }}
    {% elif otherwise and execute and not dmail.duckdb__files(location) %}
        {% set columns = [] %}
        {% for name, type in otherwise.items() %} {% do columns.append("cast(null as " ~ type ~ ") as " ~ name) %}
        {% endfor %}
        {{ return("(select " ~ columns | join(", ") ~ " where false)") }}
    {% elif location.lower().endswith(".parquet'") and otherwise %}
        {# Files of earlier versions may lack columns. #}
        {% set columns = [] %}
        {% for name, type in otherwise.items() %} {% do columns.append("cast(null as " ~ type ~ ") as " ~ name) %}
        {% endfor %}
        {% set query %}
            (
                select * from {{ dmail.duckdb__parquet(location, ", union_by_name = true") }}
                union all by name
                select {{ columns | join(", ") }} where false
            )
        {% endset %}
        {{ return(query) }}
    {% elif location.lower().endswith(".parquet'") %} {{ return(dmail.duckdb__parquet(location)) }}
    {% elif location.lower().endswith(".xlsx'") %} {{ return(dmail.duckdb__workbook(location)) }}
    {% elif location.lower().endswith(".zip'") %}
        {{
            exceptions.raise_compiler_error(
                "DuckDB cannot read the zip archive "
                ~ location
                ~ ": unpack it, or compress the file with gzip (.csv.gz)"
            )
        }}
    {% else %} {{ return("read_csv(" ~ location ~ ", " ~ dmail.duckdb__csv_options(location) ~ ")") }}
    {% endif %}
{% endmacro %}

{#
    Parquet files of a location. Files of an encrypted contact history are read one by one: with a key, DuckDB 1.5 does not match the
    columns of several files by name (duckdb/duckdb#21508). A plugin of the target has the key.
#}
{% macro duckdb__parquet(location, options="") %}
    {% set history = (env_var("DMAIL_HISTORY", "") or ".dmail/contact_history") | replace("'", "''") %}
    {% set plugins = (target.plugins or []) | map(attribute="module") | list %}
    {% if execute and (history ~ "/") in location and "dmail_runner.project.history_key" in plugins %}
        {% set keyed, found = "encryption_config = {'footer_key': 'dmail_history'}", [] %}
        {% for row in run_query("select file from glob(" ~ location ~ ") order by file").rows %}
            {% do found.append("select * from read_parquet(" ~ dmail.sql_text(row[0]) ~ ", " ~ keyed ~ ")") %}
        {% endfor %}
        {{ return("(" ~ found | join(" union all by name ") ~ ")") }}
    {% endif %}
    {{ return("read_parquet(" ~ location ~ options ~ ")") }}
{% endmacro %}

{# An Excel workbook, with every cell as text. DuckDB's extension must be loaded, because nothing is fetched from the network. #}
{% macro duckdb__workbook(location) %}
    {% set loaded = "select 1 from duckdb_extensions() where extension_name = 'excel' and loaded" %}
    {% if execute and not run_query(loaded).rows %}
        {{
            exceptions.raise_compiler_error(
                location
                ~ " needs DuckDB's extension excel: install it once, and add `extensions: [excel]` to the target in profiles.yml;"
                ~ " or save the workbook as CSV"
            )
        }}
    {% endif %}
    {{ return("read_xlsx(" ~ location ~ ", header = true, all_varchar = true)") }}
{% endmacro %}

{# The encoding that `config.meta.direct_mail` of the source with this location declares, or none. #}
{% macro duckdb__encoding(location) %}
    {% for source in (graph.sources.values() if execute else []) if source.config.meta.external_location == location %}
        {{ return((source.config.meta.direct_mail or {}).encoding) }}
    {% endfor %}
    {{ return(none) }}
{% endmacro %}

{#
    The options of read_csv. For several files, DuckDB finds the columns by itself and matches them by name, because their order may
    differ from file to file.
#}
{% macro duckdb__csv_options(location) %}
    {% set options = ["header = true", "quote = '\"'", "escape = '\"'", "comment = ''"] %}
    {% set encoding = dmail.duckdb__encoding(location) %}
    {% if encoding %} {% do options.append("encoding = '" ~ encoding ~ "'") %} {% endif %}
    {% set files = dmail.duckdb__files(location) if execute else [] %}
    {% if files %}
        {% set line = dmail.duckdb__first_line(location, encoding) %}
        {% set counts = {} %}
        {% for sign in [",", ";", "\t", "|"] %} {% do counts.update({sign: line.count(sign)}) %} {% endfor %}
        {% set delimiter = (counts | dictsort(by="value", reverse=true))[0][0] %}
        {# Spreadsheets write their delimiter into a first line of its own. #}
        {% set hint = modules.re.fullmatch('"?sep=(.)"?', line.strip(" \ufeff\r"), modules.re.IGNORECASE) %}
        {% if hint %}
            {% set line, delimiter = dmail.duckdb__first_line(location, encoding, skip=1), hint.group(1) %}
            {% do options.append("skip = 1") %}
        {% endif %}
        {% do options.append("delim = '" ~ delimiter ~ "'") %}
        {% set names = [] %}
        {% for name in line.split(delimiter) %} {% do names.append(name.strip().strip('"')) %} {% endfor %}
        {% set alike = names | map("lower") | list %}
        {% for name in names if alike.count(name.lower()) > 1 %}
            {{
                exceptions.raise_compiler_error(
                    "the first line of " ~ location ~ " names the column `" ~ name ~ "` twice"
                )
            }}
        {% endfor %}
        {% if files | length == 1 and '""' not in line and names | select("equalto", "") | list | length == 0 %}
            {% set columns = [] %}
            {% for name in names %} {% do columns.append("'" ~ name.replace("'", "''") ~ "': 'varchar'") %} {% endfor %}
            {% do options.extend(["auto_detect = false", "columns = {" ~ columns | join(", ") ~ "}"]) %}
        {% else %} {% do options.append("all_varchar = true") %}
        {% endif %}
    {% endif %}
    {{ return(options | join(", ")) }}
{% endmacro %}

{% macro duckdb__first_line(location, encoding=none, skip=0) %}
    {% set query %}
        select line
        from
            read_csv(
                {{ location }},
                auto_detect = false,
                columns = {'line': 'varchar'},
                header = false,
                delim = e'\x01',
                quote = '',
                escape = '',
                strict_mode = false,
                skip = {{ skip }},
                {% if encoding %}encoding = '{{ encoding }}',
                {% endif %}
                parallel = false
            )
        limit 1
    {% endset %}
    {% set rows = run_query(query).rows %} {{ return((rows[0][0] or "") if rows else "") }}
{% endmacro %}

{% macro duckdb__files(location) %}
    {{ return(run_query("select file from glob(" ~ location ~ ") limit 2").rows) }}
{% endmacro %}
