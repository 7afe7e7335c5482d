{#
    What PostgreSQL lacks, as functions and types of the target's schema, and upper() and lower() for letters that are not ASCII. The models
    call them by name, so the target's `search_path` must have the schema before PostgreSQL's own. They are created again when their
    definitions have changed.
#}
{% macro postgres_prepare() %}
    {% set definitions = dmail.postgres_functions() %}
    {% set mark = "dmail " ~ local_md5(definitions) %}
    {% set found %}
        {# To compile a query of many steps takes longer than to run it. #}
        set jit = off;
        select
            'B' < 'a' collate "default" and 'z' < 'ä' collate "default" and 'ä' !~ '[[:alpha:]]' as is_binary,
            current_setting('server_encoding') as encoding,
            array_position(current_schemas(true), '{{ target.schema }}')
            < array_position(current_schemas(true), 'pg_catalog') as is_searched,
            obj_description(to_regprocedure('{{ target.schema }}.dmail_fail(text)'), 'pg_proc') as mark
    {% endset %}
    {% set row = run_query(found).rows[0] %}
    {% if not row["is_binary"] or row["encoding"] != "UTF8" %}
        {{
            exceptions.raise_compiler_error(
                "the database "
                ~ target.dbname
                ~ " sorts text by a language, and would choose other people than DuckDB: create one with "
                ~ "`createdb --template=template0 --encoding=UTF8 --locale=C NAME`"
            )
        }}
    {% elif row["is_searched"] is not true %}
        {{
            exceptions.raise_compiler_error(
                "the target needs `search_path: "
                ~ target.schema
                ~ ", pg_catalog`, because the models call functions of this schema"
            )
        }}
    {% elif row["mark"] != mark %}
        {# Two threads must not create the same function. #}
        {% set creation %}
            select pg_advisory_xact_lock(hashtext('dmail {{ target.schema }}'));
            {{ definitions }}
            comment on function dmail_fail is '{{ mark }}';
        {% endset %}
        {% do run_query(creation) %}
    {% endif %}
{% endmacro %}

{# The definitions. A function of several names has one for each type of its argument. #}
{% macro postgres_functions() %}
    {% set letters = dmail.spark_letters() %}
do $$ begin create domain string as text; exception when duplicate_object then null; end $$;
do $$ begin create domain double as double precision; exception when duplicate_object then null; end $$;

    -- levenshtein(), for the tolerant tier. Without this extension, which comes with PostgreSQL, the tier's models
    -- fail.
do $$ begin
    create extension if not exists fuzzystrmatch schema "{{ target.schema }}";
exception when feature_not_supported or undefined_file or insufficient_privilege then null;
end $$;

    create or replace function dmail_fail(message text)
    returns text
    language plpgsql
    volatile
    as $$ begin raise exception '%', message; end $$
    ;

    create or replace function contains(value text, part text)
    returns boolean
    language sql
    immutable
    parallel safe
    return strpos(value, part) > 0
    ;

    create or replace function regexp_extract(value text, pattern text, part integer)
    returns text
    language sql
    immutable
    parallel safe
    return coalesce((regexp_match(value, pattern))[part], '')
    ;

    create or replace function year(moment timestamp)
    returns integer
    language sql
    immutable
    parallel safe
    return extract(year from moment)::integer
    ;
    create or replace function month(moment timestamp)
    returns integer
    language sql
    immutable
    parallel safe
    return extract(month from moment)::integer
    ;
    create or replace function day(moment timestamp)
    returns integer
    language sql
    immutable
    parallel safe
    return extract(day from moment)::integer
    ;

    -- Case and accents: letters that are not ASCII by ICU, which does not depend on the database's language.
    create or replace function upper(value text)
    returns text
    language sql
    immutable
    parallel safe
    return
        case
        when octet_length(value) = length(value) then pg_catalog.upper(value)
        else
        translate(
            pg_catalog.upper(translate(value, '{{ letters.odd }}', '{{ letters.aside }}') collate "und-x-icu"),
            '{{ letters.aside }}',
            '{{ letters.capitals }}'
        ) collate "C"
        end
    ;
    create or replace function lower(value text)
    returns text
    language sql
    immutable
    parallel safe
    return
        case
        when octet_length(value) = length(value) then pg_catalog.lower(value)
        else pg_catalog.lower(translate(value, 'Σİ', 'σi') collate "und-x-icu") collate "C"
        end
    ;
    create or replace function dmail_bare(value text)
    returns text
    language sql
    immutable
    parallel safe
    return
        case
        when octet_length(value) = length(value) then value
        else translate(
            regexp_replace(value, '[{{ dmail.postgres_letters().M }}]', '', 'g'),
            '{{ letters.accented }}',
            '{{ letters.bare }}'
        )
        end
    ;

    -- A pattern with Unicode's classes, which are within brackets. PostgreSQL calls it once for a pattern, not once
    -- for a row.
    create or replace function dmail_pattern(pattern text)
    returns text
    language plpgsql
    immutable
    parallel safe
    as $$
begin
    {% for name, ranges in dmail.postgres_letters().items() %}
    pattern := replace(pattern, '\p{{ "{" ~ name ~ "}" }}', '{{ ranges }}');
    {% endfor %}
    return pattern;
end $$
    ;

    -- Casts that are null if they fail.
    -- fmt: off
    create or replace function dmail_timestamp(value text)
    returns timestamp
    language sql
    immutable
    parallel safe
    return
        (
            select
                case
                    when year >= 1 and month between 1 and 12
                    then
                        case
                            when day between 1 and extract(day from make_date(year, month, 1) + interval '1 month - 1 day')
                            then (concat_ws('-', year, month, day) || ' ' || time)::timestamp
                        end
                end
            from
                regexp_match(
                    regexp_replace(translate(value, '/', '-'), '([.][0-9]{6})[0-9]+', '\1'),
                    '^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})'
                    '(?:[ T]((?:[01]?[0-9]|2[0-3]):[0-5]?[0-9](?::[0-5]?[0-9](?:[.][0-9]*)?)?|24:00(?::00(?:[.]0*)?)?))?'
                    '(?: ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?$'
                ) as found(parts),
                lateral (
                    select parts[1]::integer as year, parts[2]::integer as month, parts[3]::integer as day, coalesce(parts[4], '00:00') as time
                ) as given
        )
    ;
    -- fmt: on
    create or replace function dmail_timestamp(value timestamp)
    returns timestamp
    language sql
    immutable
    parallel safe
    return value
    ;
    create or replace function dmail_timestamp(value timestamptz)
    returns timestamp
    language sql
    immutable
    parallel safe
    return value at time zone 'UTC'
    ;
    create or replace function dmail_timestamp(value date)
    returns timestamp
    language sql
    immutable
    parallel safe
    return value::timestamp
    ;
    create or replace function dmail_date(value text)
    returns date
    language sql
    immutable
    parallel safe
    return dmail_timestamp(btrim(value))::date
    ;
    create or replace function dmail_date(value timestamp)
    returns date
    language sql
    immutable
    parallel safe
    return value::date
    ;
    create or replace function dmail_date(value date)
    returns date
    language sql
    immutable
    parallel safe
    return value
    ;

    create or replace function dmail_numeric(value numeric, digits integer, decimals integer)
    returns numeric
    language sql
    immutable
    parallel safe
    return case when abs(round(value, decimals)) < 10::numeric ^ (digits - decimals) then round(value, decimals) end
    ;
    create or replace function dmail_numeric(value text, digits integer, decimals integer)
    returns numeric
    language sql
    immutable
    parallel safe
    return
        case
        when value ~ '^[ \t\n\r]*[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?[ \t\n\r]*$'
        then dmail_numeric(btrim(value, ' ' || chr(9) || chr(10) || chr(13))::numeric, digits, decimals)
        end
    ;
    create or replace function dmail_numeric(value double precision, digits integer, decimals integer)
    returns numeric
    language sql
    immutable
    parallel safe
    return case when abs(value) < 10::numeric ^ (digits - decimals) then round(value::numeric, decimals) end
    ;
    create or replace function dmail_numeric(value bigint, digits integer, decimals integer)
    returns numeric
    language sql
    immutable
    parallel safe
    return case when abs(value) < 10::numeric ^ (digits - decimals) then round(value::numeric, decimals) end
    ;

    create or replace function dmail_integer(value numeric)
    returns integer
    language sql
    immutable
    parallel safe
    return case when value between - 2147483648 and 2147483647 then value::integer end
    ;

    create or replace function dmail_base_four(number bigint, digits integer)
    returns text
    language sql
    immutable
    parallel safe
    return
        (
            select string_agg(((number >> (2 * place)) & 3)::text, '' order by place desc)
            from generate_series(0, digits - 1)
            as places(place)
        )
    ;
{% endmacro %}
