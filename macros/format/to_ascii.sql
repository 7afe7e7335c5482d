{#
    Text in plain ASCII, for printers and carriers that support nothing else: é becomes e, ß ss, ø o, Ł L, æ ae, € EUR. Curly quotes
    become straight, dashes hyphens, and the ellipsis three full stops. Empty text is null.

    Each character without an ASCII spelling (東, an emoji) becomes the replacement. A question mark is seen by people and by tests,
    while a name that has silently lost letters looks right. Characters that print nothing are removed (joiners, marks).

    Arguments:
        column (column): The text.
        german (any): true, or a SQL condition such as "language = 'de'": ä becomes ae, ö oe, ü ue. Otherwise a, o, u.
        replacement (string): The replacement of a character without a spelling. '' removes it.
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
        {% set spelled.sql %} case when {{ german }} then {{ spelled.german }} else {{ spelled.sql }} end {% endset %}
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

{#
    The text with a capital, and its small letter, spelled with two letters: AE among capitals, Ae before a small letter.

    Arguments:
        text (column): The text.
        from (string): The capital.
        to (string): The two letters.
#}
{% macro two_letters(text, from, to) -%}
    replace(
        replace({{ dmail.replace_all(text, from ~ "(\\p{Ll})", to ~ "\\1") }}, '{{ from }}', '{{ to | upper }}'),
        '{{ from | lower }}',
        '{{ to | lower }}'
    )
{%- endmacro %}
