{#
    The greeting of a letter, with its comma (in Spanish, its colon).

        the title is Ms or Mr, in any language          Dear Ms Ray,     Sehr geehrte Frau Müller,   Chère Madame Martin,
        there is no title, or it names several people   Dear Ann Ray,    Guten Tag Ann Müller,       Bonjour Ann Martin,
        the title is another one                        Dear Dr Ray,     Guten Tag Dr. Müller,       Dear Mr & Mrs Ray,
        there is no name, or only a last name           Dear customer,   Sehr geehrte Damen und Herren,

    Polish greets without the name, which would have to be declined. Swedish and Danish greet by first and last name. Names are
    printed as they are: apply `proper_case()` to names in capitals.

    Arguments:
        language (column): A column, or a literal in quotes ("'de'"). Of `pt-BR`, only `pt` counts.
        title (column): The form of address.
        last_name (column): The last name.
        first_name (optional[column]): The first names.
        default (string): The language if there is none, or one that `greetings()` does not list.
        generic (dict[string, string]): Greetings without a name that replace those of `greetings()`: {"en": "Dear friend,"}.
#}
{% macro salutation(language, title, last_name, first_name=none, default="en", generic={}) -%}
    {% set known = dmail.greetings() %}
    {% for given in [default] + generic.keys() | list if given not in known %}
        {{
            exceptions.raise_compiler_error(
                "salutation(): unknown language `" ~ given ~ "`; it accepts " ~ known | join(", ")
            )
        }}
    {% endfor %}
    {% set title, last, first = (
        dmail.blank_to_null(title),
        dmail.blank_to_null(last_name),
        dmail.in_case(first_name, none),
    ) %}
    {% set key = "lower(split_part(replace(" ~ language ~ ", '_', '-'), '-', 1))" %}
    {% set spoken = "lower(replace(" ~ title ~ ", '.', ''))" %}
    {% set ms = "ms|mrs|miss|mmes?|mlle|madame|mademoiselle|frau|sra|srta|señora|señorita|senhora|sigra|signora|mevrouw|mevr|mw|pani|fru|fröken" %}
    {% set mr = "mr|mister|m|monsieur|herr|herrn|sr|señor|senhor|sig|signor|meneer|heer|dhr|pan|hr" %}
    {% set several = "[&+/]|^familie |^family | (?:and|und|et|y|e|en|i|och|og) " %}
    {# The title without Ms and Mr, such as Dr. #}
    {% set polite = "(?i)^(?:" ~ ms ~ "|" ~ mr ~ "|sig\\.ra)(?:\\.? +|\\.?$)" %}
    {% set rank %} nullif({{ dmail.replace_all(title, polite, "") }}, '') {% endset %}
    case
        {% for gender, words in {"ms": ms, "mr": mr}.items() %}
            when
                {{ last }} is not null
                and {{ dmail.matches(spoken, "^(?:" ~ words ~ ")(?: |$)") }}
                and not {{ dmail.matches(spoken, several) }}
                and {{ dmail.by_language(key, known, gender, default) }} is not null
            then
                concat_ws(
                    ' ',
                    {% if gender == "ms" %}
                        case
                            {% for word, greeting in {
                                "en mrs": "Dear Mrs",
                                "en miss": "Dear Miss",
                                "fr mlle": "Chère Mademoiselle",
                                "fr mademoiselle": "Chère Mademoiselle",
                                "es srta": "Estimada Srta.",
                                "es señorita": "Estimada Srta.",
                            }.items() %}
                                {% set said = word.split(" ") %}
                                when
                                    {{ dmail.by_language(key, known, "name", default) }} = '{{ said[0] }}'
                                    and split_part({{ spoken }}, ' ', 1) = '{{ said[1] }}'
                                then '{{ greeting }}'
                            {% endfor %}
                            else {{ dmail.by_language(key, known, gender, default) }}
                        end,
                    {% else %} {{ dmail.by_language(key, known, gender, default) }},
                    {% endif %}
                    case when {{ dmail.by_language(key, known, "nameless", default) }} is null then {{ rank }} end,
                    case when {{ dmail.by_language(key, known, "nameless", default) }} is null then {{ last }} end
                )
                || {{ dmail.by_language(key, known, "end", default) }}
        {% endfor %}
        when
            {{ dmail.by_language(key, known, "nameless", default) }} is not null
            and coalesce({{ first }}, {{ last }}) is not null
        then
            {{ dmail.by_language(key, known, "neutral", default) }}
            || {{ dmail.by_language(key, known, "end", default) }}
        when {{ last }} is not null and {{ dmail.matches(spoken, several) }}
        then
            concat_ws(' ', {{ dmail.by_language(key, known, "neutral", default) }}, {{ title }}, {{ last }})
            || {{ dmail.by_language(key, known, "end", default) }}
        when {{ last }} is not null and {{ rank }} is not null
        then
            concat_ws(' ', {{ dmail.by_language(key, known, "neutral", default) }}, {{ rank }}, {{ last }})
            || {{ dmail.by_language(key, known, "end", default) }}
        when {{ first }} is not null
        then
            concat_ws(' ', {{ dmail.by_language(key, known, "neutral", default) }}, {{ first }}, {{ last }})
            || {{ dmail.by_language(key, known, "end", default) }}
        else {{ dmail.by_language(key, known, "generic", default, generic) }}
    end
{%- endmacro %}

{#
    An entry of the greetings, by the row's language.

    Arguments:
        key (column): The language, in lower case.
        known (dict[string, dict[string, string]]): The greetings.
        entry (string): The entry.
        default (string): The language if the row's is not known.
        instead (dict[string, string]): Texts that replace the entry, by language.
#}
{% macro by_language(key, known, entry, default, instead={}) -%}
    case
        {{ key }}
        {% for language, words in known.items() if language != default %}
            {% set text = instead.get(language, words.get(entry)) %}
            when '{{ language }}'
            then {{ "null" if text is none else dmail.sql_text(text) }}
            {% endfor %} {% set text = instead.get(default, known[default].get(entry)) %}
        else {{ "cast(null as string)" if text is none else dmail.sql_text(text) }}
    end
{%- endmacro %}

{# The greetings of each language. In a language without `ms` and `mr`, the neutral greeting serves everybody. #}
{% macro greetings() %}
    {% set known = {
        "en": {"ms": "Dear Ms", "mr": "Dear Mr", "neutral": "Dear", "generic": "Dear customer,"},
        "de": {
            "ms": "Sehr geehrte Frau",
            "mr": "Sehr geehrter Herr",
            "neutral": "Guten Tag",
            "generic": "Sehr geehrte Damen und Herren,",
        },
        "fr": {
            "ms": "Chère Madame",
            "mr": "Cher Monsieur",
            "neutral": "Bonjour",
            "generic": "Madame, Monsieur,",
        },
        "es": {
            "ms": "Estimada Sra.",
            "mr": "Estimado Sr.",
            "neutral": "Hola",
            "generic": "Estimados señores:",
            "end": ":",
        },
        "it": {
            "ms": "Gentile Signora",
            "mr": "Gentile Signor",
            "neutral": "Gentile",
            "generic": "Gentile cliente,",
        },
        "nl": {
            "ms": "Geachte mevrouw",
            "mr": "Geachte heer",
            "neutral": "Beste",
            "generic": "Geachte heer, mevrouw,",
        },
        "pt": {"ms": "Prezada Sra.", "mr": "Prezado Sr.", "neutral": "Olá", "generic": "Prezado cliente,"},
        "pl": {
            "ms": "Szanowna Pani",
            "mr": "Szanowny Panie",
            "neutral": "Dzień dobry",
            "generic": "Szanowni Państwo,",
            "nameless": "yes",
        },
        "sv": {"neutral": "Hej", "generic": "Bästa kund,"},
        "da": {"neutral": "Kære", "generic": "Kære kunde,"},
    } %}
    {% for language, words in known.items() %}
        {% do words.update({"name": language, "end": words.end or ","}) %}
    {% endfor %}
    {{ return(known) }}
{% endmacro %}
