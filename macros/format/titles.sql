{# Forms of address: which are those of women and men, and what of a title and a last name belongs into a greeting. #}
{#
    The titles of women (`ms`) and men (`mr`), in small letters without points, as patterns: those that mean the same in any language,
    and those that have this meaning in one language only.
#}
{% macro titles() %}
    {{
        return(
            {
                "ms": {
                    "any": "ms|mrs|miss|mmes?|mlle|madame|mademoiselle|frau|sra|srta|señora|señorita|senhora|sigra|signora|mevrouw|mevr|mw|pani|fru|fröken",
                    "de": "fr",
                    "es": "doña|dña|da",
                },
                "mr": {
                    "any": "mr|mister|de heer|monsieur|herr|herrn|señor|senhor|sig|signor|meneer|heer|dhr|pan|hr",
                    "fr": "m",
                    "es": "sr|don|d",
                    "pt": "sr",
                },
            }
        )
    }}
{% endmacro %}

{# The titles that say Ms or Mr and nothing else, in small letters, as texts of SQL. #}
{% macro plain_titles() %}
    {% set words, titles = [], dmail.titles() %}
    {% for word in (titles.ms.any ~ "|" ~ titles.mr.any).split("|") if "?" not in word %}
        {% do words.extend([word, word ~ "."]) %}
    {% endfor %}
    {{ return("'" ~ words | join("', '") ~ "'") }}
{% endmacro %}

{# The word and in the languages of `greetings()`, between spaces, as a pattern. #}
{% macro and_words() %} {{ return(" (?:and|und|et|y|e|en|i|och|og) ") }} {% endmacro %}

{#
    A title without the courtesy before it (`Egr. Sig.`, `Gent.ma Sig.ra`). It is null if it says nothing: `n/a`, `unknown`, `divers`, and
    titles for either gender such as `Mr/Ms` or `Herr oder Frau`.

    Arguments:
        title (column): The form of address.
#}
{% macro greeted_title(title) -%}
    {% set text = dmail.blank_to_null(title) %}
    {% set nothing = "(?i)^(?:n/?a|none|null|unknown|unbekannt|divers|other|[^\\p{L}]+)$|/| (?:or|oder|ou|o|of) " %}
    {% set courtesy = "(?i)^(?:egr\\.|egregi[oa]|gent\\.(?:m[ao]|mi)?|gentile|gentilissim[oa]|spett\\.(?:le)?|geehrter?|geachte|dear) +" %}
    case when not {{ dmail.matches(text, nothing) }} then nullif({{ dmail.replace_first(text, courtesy, "") }}, '') end
{%- endmacro %}

{#
    What is left of a title without Ms and Mr, and without what no greeting has: `Dr.` of `Frau Dr. med.`, `Prof.` of `Herr Prof. Dr.`. It is
    null if nothing is left, as of `Dipl.-Ing.` and `MBA`.

    Arguments:
        title (column): The form of address.
#}
{% macro rank_of(title) -%}
    {% set titles = dmail.titles() %}
    {% set polite = (
        "(?i)^(?:" ~ titles.ms.any ~ "|" ~ titles.mr.any ~ "|sig\\.ra|sr|doña|dña|don|m|fr)(?:\\.? +|\\.?$)"
    ) %}
    {% set degree = "(?:dipl\\.?[ -]*\\p{L}+\\.?(?: *\\([^)]*\\))?|mba|ph\\.? ?d\\.?|ll\\. ?m\\.|[bm]\\. ?(?:a|sc|eng)\\.|bsc|msc|m\\.?d\\.)" %}
    {% set faculty = "(?:(?:med|phil|rer|nat|jur|iur|dent|vet|ing|habil|pol|oec|theol|h|c|e|mult|univ)\\.? *)+" %}
    {% set plain = dmail.replace_first(title, polite, "") %}
    {% set plain = dmail.replace_first(plain, "(?i)^(?:d|dña|doña|don)\\.?(?: +|$)", "") %}
    {% set plain = dmail.replace_all(plain, "(?i)(^|[ ,])" ~ degree ~ "($|[ ,])", "\\1") %}
    {% set plain = dmail.replace_first(plain, "(?i)^(prof(?:\\.|essor(?:in)?)?),? *(?:dr\\.? *)+.*$", "\\1") %}
    {% set plain = dmail.replace_first(plain, "(?i)^((?:dr\\.? ?-?)+) *" ~ faculty ~ "$", "\\1") %}
    nullif(trim({{ plain }}), '')
{%- endmacro %}

{#
    A last name without the suffixes and degrees that no greeting has: `Ray` of `Ray Jr.`, `Ray, PhD`, `Ray III`.

    Arguments:
        last_name (column): The last name.
#}
{% macro without_suffix(last_name) -%}
    {% set text = dmail.blank_to_null(last_name) %}
    {% set after_space = "(?:jr|sr|jun|sen)\\.?|(?:Jr|JR|Sr|SR|Esq|ESQ)\\.?|II|III|IV|VII|VIII|M\\.?D\\.?|Ph\\.? ?D\\.?|PHD|MBA|DDS|DVM|CPA|JD|LLM|OBE|MBE|CBE|KC|QC" %}
    {% set after_comma = "[\\p{L}][\\p{L}. ]{0,8}" %}
    nullif({{ dmail.replace_first(text, "(?: +(?:" ~ after_space ~ ")|, *" ~ after_comma ~ ")+$", "") }}, '')
{%- endmacro %}
