{#
    The code of a language from its name in English or in itself, such as `German`, `Deutsch` or `German - Austria`: CRM systems export
    the names of languages. Of the languages that letters greet in, see `greetings()`. Codes, and names of other languages, stay as
    they are.

    Arguments:
        column (column): The source's code or name.
#}
{% macro language_named(column) -%}
    {% set names = {
        "en": ["english"],
        "de": ["german", "deutsch"],
        "fr": ["french", "francais"],
        "es": ["spanish", "espanol", "castellano"],
        "it": ["italian", "italiano"],
        "pt": ["portuguese", "portugues"],
        "nl": ["dutch", "nederlands", "flemish"],
        "pl": ["polish", "polski"],
        "sv": ["swedish", "svenska"],
        "da": ["danish", "dansk"],
    } %}
    {% set text = dmail.clean_text(column) %}
    {# The name ends before the country: `German - Austria`, `German (AT)`. #}
    {% set first %} split_part(lower({{ dmail.without_accents(text) }}), ' ', 1) {% endset %}
    case
        {{ first }}
        {% for code, spellings in names.items() %}
            {% for name in spellings %} when '{{ name }}' then '{{ code }}' {% endfor %}
        {% endfor %}
        else {{ text }}
    end
{%- endmacro %}
