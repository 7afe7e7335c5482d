{# Letters, one by one: whatever the letter, its capital is one letter, too, and the rest of the word changes nothing. #}
{# Capitals. What has no single capital stays (ﬁ, ŉ). #}
{% macro upper_case(text) -%} {{ adapter.dispatch("upper_case", "dmail")(text) }} {%- endmacro %}

{% macro duckdb__upper_case(text) -%} upper({{ text }}) {%- endmacro %}

{# Java writes some capitals with two letters: those are set aside meanwhile. #}
{% macro spark__upper_case(text) -%}
    {% set letters = dmail.spark_letters() %}
    translate(
        upper(translate({{ text }}, '{{ letters.odd }}', '{{ letters.aside }}')),
        '{{ letters.aside }}',
        '{{ letters.capitals }}'
    )
{%- endmacro %}

{# Small letters; of the Greek sigma the one within a word. #}
{% macro lower_case(text) -%} {{ adapter.dispatch("lower_case", "dmail")(text) }} {%- endmacro %}

{% macro duckdb__lower_case(text) -%} lower({{ text }}) {%- endmacro %}

{% macro spark__lower_case(text) -%} lower(translate({{ text }}, 'Σİ', 'σi')) {%- endmacro %}

{# Every letter without its accents and marks: é is e. A letter with a stroke through it stays. #}
{% macro without_accents(text) -%} {{ adapter.dispatch("without_accents", "dmail")(text) }} {%- endmacro %}

{% macro duckdb__without_accents(text) -%} strip_accents({{ text }}) {%- endmacro %}

{% macro spark__without_accents(text) -%}
    {% set letters = dmail.spark_letters() %}
    translate(regexp_replace({{ text }}, '\\p{M}', ''), '{{ letters.accented }}', '{{ letters.bare }}')
{%- endmacro %}

{# Letter and accent as one character, wherever there is one (NFC): sources write é in two ways. #}
{% macro composed(text) -%} {{ adapter.dispatch("composed", "dmail")(text) }} {%- endmacro %}

{% macro duckdb__composed(text) -%} nfc_normalize({{ text }}) {%- endmacro %}

{# Accents in another order than Unicode's own, and the parts of Korean syllables, stay as they are. #}
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
