{#
    Regular expressions, whose syntax differs between engines. Patterns are Jinja texts in RE2's dialect. `$` matches only the end of
    the text, `\b` the edge of an ASCII word, `\s` ASCII white space, and `\p{Han}` a script.
#}
{#
    The text with every match replaced.

    Arguments:
        text (column): The text.
        pattern (string): The pattern.
        replacement (string): The replacement. `\1` is the first group, and empty if the group took no part in the match.
#}
{% macro replace_all(text, pattern, replacement) -%}
    {{ adapter.dispatch("replace_all", "dmail")(text, pattern, replacement) }}
{%- endmacro %}

{% macro duckdb__replace_all(text, pattern, replacement) -%}
    regexp_replace({{ text }}, {{ dmail.sql_text(pattern) }}, {{ dmail.sql_text(replacement) }}, 'g')
{%- endmacro %}

{% macro spark__replace_all(text, pattern, replacement) -%}
    regexp_replace({{ text }}, {{ dmail.java_pattern(pattern) }}, {{ dmail.java_replacement(replacement) }})
{%- endmacro %}

{% macro postgres__replace_all(text, pattern, replacement) -%}
    {% set place = dmail.postgres_collation(pattern) %}
    regexp_replace({{ text }}{{ place }}, {{ dmail.postgres_pattern(pattern) }}, {{ dmail.sql_text(replacement) }}, 'g')
    {{- ' collate "C"' if place }}
{%- endmacro %}

{#
    The text with the first match replaced, which for a pattern with both anchors is the only one.

    Arguments:
        text (column): The text.
        pattern (string): The pattern.
        replacement (string): The replacement. `\1` is the first group.
#}
{% macro replace_first(text, pattern, replacement) -%}
    {{ adapter.dispatch("replace_first", "dmail")(text, pattern, replacement) }}
{%- endmacro %}

{% macro duckdb__replace_first(text, pattern, replacement) -%}
    regexp_replace({{ text }}, {{ dmail.sql_text(pattern) }}, {{ dmail.sql_text(replacement) }})
{%- endmacro %}

{# Java replaces all matches. A last group that takes the rest of the text limits it to the first one. #}
{% macro spark__replace_first(text, pattern, replacement) -%}
    {% set groups = modules.re.findall("(?<!\\\\)\\((?!\\?)", pattern) | length %}
    {{ dmail.spark__replace_all(text, "(?:" ~ pattern ~ ")((?s:.*))", replacement ~ "\\" ~ (groups + 1)) }}
{%- endmacro %}

{% macro postgres__replace_first(text, pattern, replacement) -%}
    {% set place = dmail.postgres_collation(pattern) %}
    regexp_replace({{ text }}{{ place }}, {{ dmail.postgres_pattern(pattern) }}, {{ dmail.sql_text(replacement) }})
    {{- ' collate "C"' if place }}
{%- endmacro %}

{#
    Whether the text contains a match.

    Arguments:
        text (column): The text.
        pattern (string): The pattern.
#}
{% macro matches(text, pattern) -%} {{ adapter.dispatch("matches", "dmail")(text, pattern) }} {%- endmacro %}

{% macro duckdb__matches(text, pattern) -%} regexp_matches({{ text }}, {{ dmail.sql_text(pattern) }}) {%- endmacro %}

{% macro spark__matches(text, pattern) -%}({{ text }}) rlike {{ dmail.java_pattern(pattern) }} {%- endmacro %}

{% macro postgres__matches(text, pattern) -%}
    ({{ text }}{{ dmail.postgres_collation(pattern) }}) ~ {{ dmail.postgres_pattern(pattern) }}
{%- endmacro %}

{#
    Whether the complete text matches.

    Arguments:
        text (column): The text.
        pattern (string): The pattern, or a column with patterns.
        column (bool): Whether `pattern` is a column.
#}
{% macro matches_whole(text, pattern, column=false) -%}
    {{ adapter.dispatch("matches_whole", "dmail")(text, pattern, column) }}
{%- endmacro %}

{% macro duckdb__matches_whole(text, pattern, column) -%}
    regexp_full_match({{ text }}, {{ pattern if column else dmail.sql_text(pattern) }})
{%- endmacro %}

{% macro spark__matches_whole(text, pattern, column) -%}
    {%- if column -%}({{ text }}) rlike '^(?:' || {{ pattern }} || ')\\z'
    {%- else -%}({{ text }}) rlike {{ dmail.java_pattern("^(?:" ~ pattern ~ ")$") }}
    {%- endif -%}
{%- endmacro %}

{% macro postgres__matches_whole(text, pattern, column) -%}
    {%- if column -%} ({{ text }}) ~ ('^(?:' || {{ pattern }} || ')$')
    {%- else -%} ({{ text }}) ~ {{ dmail.postgres_pattern("^(?:" ~ pattern ~ ")$") }}
    {%- endif -%}
{%- endmacro %}

{#
    The matches of a pattern, each changed by an expression, as one text. Null stays null.

    Arguments:
        text (column): The text.
        pattern (string): The pattern.
        expression (string): SQL over `part`, a match.
#}
{% macro each_part(text, pattern, expression) -%}
    {{ adapter.dispatch("each_part", "dmail")(text, pattern, expression) }}
{%- endmacro %}

{% macro duckdb__each_part(text, pattern, expression) -%}
    array_to_string(
        list_transform(regexp_extract_all({{ text }}, {{ dmail.sql_text(pattern) }}), lambda part:{{ expression }}), ''
    )
{%- endmacro %}

{% macro spark__each_part(text, pattern, expression) -%}
    array_join(
        transform(regexp_extract_all({{ text }}, {{ dmail.java_pattern(pattern) }}, 0), part -> {{ expression }}), ''
    )
{%- endmacro %}

{% macro postgres__each_part(text, pattern, expression) -%}
    case
        when {{ text }} is not null
        then
            coalesce(
                (
                    select string_agg(changed, '' order by part_place)
                    from
                        (
                            select {{ expression }} as changed, part_place
                            from
                                (
                                    select found[1] as part, part_place
                                    from
                                        regexp_matches(
                                            {{ text }}, {{ dmail.postgres_pattern("(" ~ pattern ~ ")") }}, 'g'
                                        )
                                    with ordinality as matches(found, part_place)
                                    offset 0
                                ) as parts
                        ) as changed_parts
                ),
                ''
            )
    end
{%- endmacro %}

{#
    A pattern as a SQL literal in Java's dialect.

    Arguments:
        pattern (string): The pattern.
#}
{% macro java_pattern(pattern) -%}
    {# In Java, `$` also matches before a last line break, and `\b` covers all letters up to version 18. #}
    {% set word = "[0-9A-Za-z_]" %}
    {% set edge = "(?:(?<=" ~ word ~ ")(?!" ~ word ~ ")|(?<!" ~ word ~ ")(?=" ~ word ~ "))" %}
    {% set pieces = [] %}
    {% for piece in modules.re.findall(
        "\\\\p\\{\\w+\\}|\\\\x\\{\\w+\\}|\\\\.|\\[(?:\\\\.|[^\\]\\\\])*\\]|\\(\\?i\\)|.", pattern
    ) %}
        {% if piece == "$" %} {% do pieces.append("\\z") %}
        {% elif piece == "\\b" %} {% do pieces.append(edge) %}
        {% elif piece == "(?i)" %} {% do pieces.append("(?iu)") %}
        {% else %}
            {% do pieces.append(
                modules.re.sub("\\\\p\\{(Han|Hiragana|Katakana|Hangul|Thai)\\}", "\\\\p{Is\\1}", piece)
            ) %}
        {% endif %}
    {% endfor %}
    {{- dmail.sql_text(pieces | join("")) -}}
{%- endmacro %}

{#
    A replacement as a SQL literal in Java's dialect.

    Arguments:
        replacement (string): The replacement.
#}
{% macro java_replacement(replacement) -%}
    {{- dmail.sql_text(modules.re.sub("\\\\([0-9])", "$\\1", replacement | replace("$", "\\$"))) -}}
{%- endmacro %}

{#
    A pattern as SQL in PostgreSQL's dialect.

    Arguments:
        pattern (string): The pattern.
#}
{% macro postgres_pattern(pattern) -%}
    {# `.` would also match a line break, `\b` is a backspace, and a `\x` has any number of digits. #}
    {% set pieces = [] %}
    {% for piece in modules.re.findall(
        "\\\\p\\{\\w+\\}|\\\\x\\{?\\w+\\}?|\\\\.|\\[\\^?\\]?(?:\\\\p\\{\\w+\\}|\\\\x\\{\\w+\\}|\\\\.|[^\\]\\\\])*\\]|.",
        pattern | replace("\\pL", "\\p{L}"),
        modules.re.DOTALL,
    ) %}
        {% set piece = piece | replace("\\s", "\\t\\n\\f\\r " if piece.startswith("[") else "[\\t\\n\\f\\r ]") %}
        {% set piece = modules.re.sub("\\\\x\\{?([0-9a-f]{4})\\}?", "\\\\u\\1", piece) %}
        {% set piece = modules.re.sub("\\\\x\\{?([0-9a-f]{2})\\}?", "\\\\u00\\1", piece) %}
        {% if piece == "." %} {% do pieces.append("[^\\n]") %}
        {% elif piece == "\\b" %} {% do pieces.append("\\y") %}
        {% elif piece.startswith("\\p") %} {% do pieces.append("[" ~ piece ~ "]") %}
        {% else %} {% do pieces.append(piece) %}
        {% endif %}
    {% endfor %}
    {% set text = pieces | join("") %}
    {% if "(?i)" in text %} {% set text = "(?i)" ~ (text | replace("(?i)", "")) %} {% endif %}
    {% set literal = dmail.sql_text(text) %}
    {{ return("dmail_pattern(" ~ literal ~ ")" if "\\p{" in text else literal) }}
{%- endmacro %}

{# What lets a pattern without regard to case know letters that are not ASCII. #}
{% macro postgres_collation(pattern) -%} {{- ' collate "und-x-icu"' if "(?i)" in pattern -}} {%- endmacro %}
