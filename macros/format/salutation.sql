{#
    The greeting of a letter, with its comma (in Spanish, its colon).

        the title is Ms or Mr, in any language          Dear Ms Ray,     Sehr geehrte Frau Müller,   Chère Madame Martin,
        there is no title                               Dear Ann Ray,    Guten Tag Ann Müller,       Bonjour Ann Martin,
        the title names several people                  Dear Mr & Mrs Ray,
        the title is another one                        Dear Dr Ray,     Guten Tag Dr. Müller,
        there is no name, or only a last name           Dear customer,   Sehr geehrte Damen und Herren,

    Suffixes and degrees are left out: `Ray Jr.`, `Ray, PhD` and `Ray III` are greeted as Ray, `Dr. med.` as Dr., `Prof. Dr.` as Prof.
    Dutch and Spanish capitalise the particle after a title: Geachte heer De Vries, Estimado Sr. De la Cruz. `Sir` and `Dame` are
    followed by the first name.

    A title that may mean either, or something else in another language, is no title: `Mr/Ms`, `Sr` (Señor in Spanish, Sister in
    English), `M` (Monsieur in French), `n/a`. First names of several people (Ann & Bob) are greeted by name, with any title.

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
    {% set key = "lower(split_part(replace(" ~ language ~ ", '_', '-'), '-', 1))" %}
    {% set name, end = (
        dmail.by_language(key, known, "name", default),
        dmail.by_language(key, known, "end", default),
    ) %}
    {% set neutral, nameless = (
        dmail.by_language(key, known, "neutral", default),
        dmail.by_language(key, known, "nameless", default),
    ) %}
    {% set title, first, last = (
        dmail.greeted_title(title),
        dmail.in_case(first_name, none),
        dmail.without_suffix(last_name),
    ) %}
    {% set spoken = "lower(replace(" ~ title ~ ", '.', ''))" %}
    {% set titles = dmail.titles() %}
    {% set rank = dmail.rank_of(title) %}
    {% set several = dmail.matches(spoken, "[&+]|^famil|^rodzin|" ~ dmail.and_words()) %}
    {% set addressed %}
        case
            when {{ name }} in ('nl', 'es') then {{ dmail.upper_case("substr(" ~ last ~ ", 1, 1)") }} || substr({{ last }}, 2)
            else {{ last }}
        end
    {% endset %}
    case
        when {{ nameless }} is null and {{ dmail.matches("lower(" ~ first ~ ")", "[&+]|" ~ dmail.and_words()) }}
        then concat_ws(' ', {{ neutral }}, {{ first }}, {{ last }}) || {{ end }}
        when {{ name }} = 'en' and {{ spoken }} in ('sir', 'dame') and {{ first }} is not null
        then concat_ws(' ', {{ neutral }}, {{ title }}, split_part({{ first }}, ' ', 1)) || {{ end }}
        {% for gender, words in titles.items() %}
            when
                {{ last }} is not null
                and (
                    {{ dmail.matches(spoken, "^(?:" ~ words.any ~ ")(?: |$)") }}
                    {% for tongue, more in words.items() if tongue != "any" %}
                        or {{ name }} = '{{ tongue }}' and {{ dmail.matches(spoken, "^(?:" ~ more ~ ")(?: |$)") }}
                    {% endfor %}
                )
                and not {{ several }}
                and {{ dmail.by_language(key, known, gender, default) }} is not null
            then
                case
                    {# English uses one title. #}
                    when {{ name }} = 'en' and {{ rank }} is not null
                    then concat_ws(' ', {{ neutral }}, {{ rank }}, {{ last }})
                    when {{ nameless }} is not null
                    then {{ dmail.by_language(key, known, gender, default) }}
                    else
                        concat_ws(
                            ' ',
                            {{ dmail.courtesy(key, known, gender, default, name, spoken) }},
                            {{ rank }},
                            {{ addressed }}
                        )
                end
                || {{ end }}
        {% endfor %}
        when {{ nameless }} is not null and coalesce({{ first }}, {{ last }}) is not null
        then {{ neutral }} || {{ end }}
        when {{ last }} is not null and {{ several }}
        then concat_ws(' ', {{ neutral }}, {{ title }}, {{ addressed }}) || {{ end }}
        when {{ last }} is not null and {{ rank }} is not null
        then concat_ws(' ', {{ neutral }}, {{ rank }}, {{ addressed }}) || {{ end }}
        when {{ first }} is not null
        then concat_ws(' ', {{ neutral }}, {{ first }}, {{ last }}) || {{ end }}
        else {{ dmail.by_language(key, known, "generic", default, generic) }}
    end
{%- endmacro %}

{#
    The greeting of a woman or a man in a language, with the form that the title has: Mrs and Miss in English, Mademoiselle, Srta.

    Arguments:
        key (column): The language, in lower case.
        known (dict[string, dict[string, string]]): The greetings.
        gender (string): 'ms' or 'mr'.
        default (string): The language if the row's is not known.
        name (column): The language of the greeting.
        spoken (column): The title in small letters without points.
#}
{% macro courtesy(key, known, gender, default, name, spoken) -%}
    {% set forms = {
        "en mrs": "Dear Mrs",
        "en miss": "Dear Miss",
        "fr mlle": "Chère Mademoiselle",
        "fr mademoiselle": "Chère Mademoiselle",
        "es srta": "Estimada Srta.",
        "es señorita": "Estimada Srta.",
    } %}
    {% if gender == "ms" %}
        case
            {% for word, greeting in forms.items() %}
                when
                    {{ name }} = '{{ word.split(" ")[0] }}'
                    and split_part({{ spoken }}, ' ', 1) = '{{ word.split(" ")[1] }}'
                then '{{ greeting }}'
            {% endfor %}
            else {{ dmail.by_language(key, known, gender, default) }}
        end
    {% else %} {{ dmail.by_language(key, known, gender, default) }}
    {% endif %}
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
