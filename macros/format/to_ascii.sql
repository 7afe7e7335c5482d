{#
    Text in plain ASCII, for a printer or a carrier that knows nothing else: é is e, ß ss, ø o, Ł L, æ ae, curly quotes straight,
    dashes hyphens, the ellipsis three full stops, € EUR. Empty is null.

    What has no ASCII spelling (東, an emoji) becomes the replacement, one for each character: a name that lost letters without a
    trace looks right and is wrong, while a question mark is seen by eye and by a test. What prints nothing (joiners, marks) goes.

    Arguments:
        german       true, or a SQL condition such as "language = 'de'": ä is ae, ö oe, ü ue; otherwise a, o, u
        replacement  what stands for a character without a spelling; '' drops it
#}
{% macro to_ascii(column, german=false, replacement="?") -%}
    {% if not modules.re.fullmatch("[ -&(-\\[\\]-~]*", replacement) %}
        {{
            exceptions.raise_compiler_error(
                "to_ascii(): `replacement` accepts ASCII text without quotes and backslashes, not `"
                ~ replacement
                ~ "`"
            )
        }}
    {% endif %}
    {% set text = dmail.blank_to_null(column) %}
    {% set spelled = namespace(sql=dmail.composed(text), german=dmail.composed(text)) %}
    {% for from, to in {"Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}.items() %}
        {% set spelled.german = dmail.two_letters(spelled.german, from, to) %}
    {% endfor %}
    {% if german is string %}
        {% set spelled.sql = "case when " ~ german ~ " then " ~ spelled.german ~ " else " ~ spelled.sql ~ " end" %}
    {% elif german %} {% set spelled.sql = spelled.german %}
    {% endif %}
    {% for from, to in {"Æ": "Ae", "Œ": "Oe", "Þ": "Th", "Ĳ": "Ij"}.items() %}
        {% set spelled.sql = dmail.two_letters(spelled.sql, from, to) %}
    {% endfor %}
    {% set spelled.sql = dmail.replace_all(spelled.sql, "(\\p{Lu})ß|ẞ", "\\1SS") %}
    {% for from, to in {"ß": "ss", "…": "...", "€": "EUR", "№": "No", "ﬁ": "fi", "ﬂ": "fl", "ŉ": "'n"}.items() %}
        {% set spelled.sql = "replace(" ~ spelled.sql ~ ", '" ~ from ~ "', " ~ dmail.sql_text(to) ~ ")" %}
    {% endfor %}
    {% set signs = "øØłŁđĐðÐıħĦŧŦŋŊ‘’‚‛ʼ´′“”„‟«»″‹›‐‑‒–—―−•·" %}
    {% set ascii = "oOlLdDdDihHtTnN'''''''\"\"\"\"\"\"\"''-------**" %}
    {% set spelled.sql = "translate(" ~ spelled.sql ~ ", '" ~ signs ~ "', " ~ dmail.sql_text(ascii) ~ ")" %}
    case
        when not {{ dmail.matches(text, "[^\\x00-\\x7f]") }}
        then {{ text }}
        else
            {{
                dmail.replace_all(
                    dmail.replace_all(
                        dmail.replace_all(dmail.without_accents(spelled.sql), "\\p{Z}", " "),
                        "[\\p{M}\\p{Cf}]",
                        "",
                    ),
                    "[^\\x00-\\x7f]",
                    replacement,
                )
            }}
    end
{%- endmacro %}

{# A capital that is spelled with two: AE among capitals, Ae before a small letter; and its small letter. #}
{% macro two_letters(text, from, to) -%}
    replace(
        replace({{ dmail.replace_all(text, from ~ "(\\p{Ll})", to ~ "\\1") }}, '{{ from }}', '{{ to | upper }}'),
        '{{ from | lower }}',
        '{{ to | lower }}'
    )
{%- endmacro %}
