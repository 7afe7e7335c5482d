{#
    Regular expressions, in RE2's dialect: what the formats need and no two engines spell alike. A pattern is a text of Jinja; `$` is
    the end of the text and never a line's, `\b` the edge of an ASCII word, `\s` ASCII space, `\p{Han}` a script.
#}
{# The text with every match replaced; `\1` stands for the first group, and for nothing where that took no part. #}
{% macro replace_all(text, pattern, replacement) -%}
    {{ adapter.dispatch("replace_all", "dmail")(text, pattern, replacement) }}
{%- endmacro %}

{% macro duckdb__replace_all(text, pattern, replacement) -%}
    regexp_replace({{ text }}, {{ dmail.sql_text(pattern) }}, {{ dmail.sql_text(replacement) }}, 'g')
{%- endmacro %}

{% macro spark__replace_all(text, pattern, replacement) -%}
    regexp_replace({{ text }}, {{ dmail.java_pattern(pattern) }}, {{ dmail.java_replacement(replacement) }})
{%- endmacro %}

{# The text with its first match replaced: of a pattern that is anchored at both ends, the only one. #}
{% macro replace_first(text, pattern, replacement) -%}
    {{ adapter.dispatch("replace_first", "dmail")(text, pattern, replacement) }}
{%- endmacro %}

{% macro duckdb__replace_first(text, pattern, replacement) -%}
    regexp_replace({{ text }}, {{ dmail.sql_text(pattern) }}, {{ dmail.sql_text(replacement) }})
{%- endmacro %}

{# Java replaces all or, by a group that takes the rest of the text along, the first. #}
{% macro spark__replace_first(text, pattern, replacement) -%}
    {% set groups = modules.re.findall("(?<!\\\\)\\((?!\\?)", pattern) | length %}
    {{ dmail.spark__replace_all(text, "(?:" ~ pattern ~ ")((?s:.*))", replacement ~ "\\" ~ (groups + 1)) }}
{%- endmacro %}

{# Whether the pattern occurs in the text. #}
{% macro matches(text, pattern) -%} {{ adapter.dispatch("matches", "dmail")(text, pattern) }} {%- endmacro %}

{% macro duckdb__matches(text, pattern) -%} regexp_matches({{ text }}, {{ dmail.sql_text(pattern) }}) {%- endmacro %}

{% macro spark__matches(text, pattern) -%}({{ text }}) rlike {{ dmail.java_pattern(pattern) }} {%- endmacro %}

{# Whether the pattern is the whole text. `column`: the pattern is a column's, row by row. #}
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

{# The matches of the pattern, each changed by an expression over `part`, joined again; null for null. #}
{% macro each_part(text, pattern, expression) -%}
    {{ adapter.dispatch("each_part", "dmail")(text, pattern, expression) }}
{%- endmacro %}

{% macro duckdb__each_part(text, pattern, expression) -%}
    array_to_string(
        list_transform(regexp_extract_all({{ text }}, {{ dmail.sql_text(pattern) }}), lambda part:{{ expression }}), ''
    )
{%- endmacro %}

{% macro spark__each_part(text, pattern, expression) -%}
    array_join(transform(regexp_extract_all({{ text }}, {{ dmail.java_pattern(pattern) }}, 0), part -> {{ expression }}), '')
{%- endmacro %}

{# A pattern as Java takes it, as a SQL literal. #}
{% macro java_pattern(pattern) -%}
    {# Java's own `$` also matches before a last line break, and its `\b` knows all letters up to version 18. #}
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

{# A replacement as Java takes it, as a SQL literal. #}
{% macro java_replacement(replacement) -%}
    {{- dmail.sql_text(modules.re.sub("\\\\([0-9])", "$\\1", replacement | replace("$", "\\$"))) -}}
{%- endmacro %}
