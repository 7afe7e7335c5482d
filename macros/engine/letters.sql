{# Case and accents, letter by letter: one letter in, one letter out, regardless of the letters beside it. #}
{#
    Text in upper case. Letters whose capital is not a single letter stay as they are (ﬁ, ŉ).

    Arguments:
        text (column): The text.
#}
{% macro upper_case(text) -%} {{ adapter.dispatch("upper_case", "dmail")(text) }} {%- endmacro %}

{% macro duckdb__upper_case(text) -%} upper({{ text }}) {%- endmacro %}

{# Java writes the capitals of some letters with two letters. Placeholders stand for these letters in the meantime. #}
{% macro spark__upper_case(text) -%}
    {% set letters = dmail.spark_letters() %}
    translate(
        upper(translate({{ text }}, '{{ letters.odd }}', '{{ letters.aside }}')),
        '{{ letters.aside }}',
        '{{ letters.capitals }}'
    )
{%- endmacro %}

{% macro postgres__upper_case(text) -%} upper({{ text }}) {%- endmacro %}

{#
    Text in lower case. The small Greek sigma is always the one that is used within a word.

    Arguments:
        text (column): The text.
#}
{% macro lower_case(text) -%} {{ adapter.dispatch("lower_case", "dmail")(text) }} {%- endmacro %}

{% macro duckdb__lower_case(text) -%} lower({{ text }}) {%- endmacro %}

{% macro spark__lower_case(text) -%} lower(translate({{ text }}, 'Σİ', 'σi')) {%- endmacro %}

{% macro postgres__lower_case(text) -%} lower({{ text }}) {%- endmacro %}

{#
    Text without accents and marks: é becomes e. Letters with a stroke stay as they are (ø).

    Arguments:
        text (column): The text.
#}
{% macro without_accents(text) -%} {{ adapter.dispatch("without_accents", "dmail")(text) }} {%- endmacro %}

{% macro duckdb__without_accents(text) -%} strip_accents({{ text }}) {%- endmacro %}

{% macro spark__without_accents(text) -%}
    {% set letters = dmail.spark_letters() %}
    translate(regexp_replace({{ text }}, '\\p{M}', ''), '{{ letters.accented }}', '{{ letters.bare }}')
{%- endmacro %}

{% macro postgres__without_accents(text) -%} dmail_bare({{ text }}) {%- endmacro %}

{#
    Text in Unicode's composed form (NFC): a letter and its accent are one character, if there is one. Sources write é in two ways.

    Arguments:
        text (column): The text.
#}
{% macro composed(text) -%} {{ adapter.dispatch("composed", "dmail")(text) }} {%- endmacro %}

{% macro duckdb__composed(text) -%} nfc_normalize({{ text }}) {%- endmacro %}

{#
    A source's text in the composed form. On Spark it stays as it is, because the expression for each column would take too long to
    plan: the runner composes the values that it writes.

    Arguments:
        text (column): The text.
#}
{% macro composed_source(text) -%} {{ adapter.dispatch("composed_source", "dmail")(text) }} {%- endmacro %}

{% macro duckdb__composed_source(text) -%} {{ dmail.composed(text) }} {%- endmacro %}

{% macro spark__composed_source(text) -%} {{ text }} {%- endmacro %}

{% macro postgres__composed_source(text) -%} {{ dmail.composed(text) }} {%- endmacro %}

{# Accents in another order than Unicode's, and the parts of Korean syllables, stay as they are. #}
{% macro spark__composed(text) -%}
    {% set letters = dmail.spark_letters() %}
    {% set whole -%}
        map_from_arrays(
            regexp_extract_all('{{ letters.pairs }}', '(?s)..', 0), regexp_extract_all('{{ letters.whole }}', '(?s).', 0)
        )
    {%- endset %}
    case
        when {{ text }} rlike '\\p{M}'
        then
            array_join(
                transform(
                    regexp_extract_all(
                        translate({{ text }}, '{{ letters.single }}', '{{ letters.usual }}'),
                        '(?s)\\P{M}\\p{M}*|\\p{M}',
                        0
                    ),
                    signs -> aggregate(
                        regexp_extract_all(substr(signs, 2), '(?s).', 0),
                        substr(signs, 1, 1),
                        (letter, mark) -> coalesce({{ whole }} [letter || mark], letter || mark)
                    )
                ),
                ''
            )
        else translate({{ text }}, '{{ letters.single }}', '{{ letters.usual }}')
    end
{%- endmacro %}

{% macro postgres__composed(text) -%} normalize({{ text }}, nfc) {%- endmacro %}
