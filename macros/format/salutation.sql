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
    {% set nobody = dmail.by_language(key, known, "generic", default, generic) %}
    {% set names = {
        "words": dmail.by_language(key, known, "words", default),
        "title": dmail.greeted_title(title),
        "first": dmail.in_case(first_name, none),
        "last": dmail.without_suffix(last_name),
    } %}
    {% set rank %}
        case when lower(named.title) not in ({{ dmail.plain_titles() }}) then {{ dmail.rank_of("named.title") }} end
    {% endset %}
    {% set forms = {
        "language": dmail.greeting_word("name"),
        "form": "lower(replace(named.title, '.', ''))",
        "rank": rank,
    } %}
    {% set kinds = {
        "gender": dmail.gender_of("spoken.form", "spoken.language"),
        "several": dmail.names_several("spoken.form"),
    } %}
    {% set greeting = dmail.greeting_by_form(nobody) %}
    {% set greeting = dmail.with_values(kinds, "kind", greeting) %}
    {{ dmail.with_values(names, "named", dmail.with_values(forms, "spoken", greeting)) }}
{%- endmacro %}

{#
    The greeting by title, first name and last name, over the names of `salutation()`.

    Arguments:
        nobody (column): The greeting without a name.
#}
{% macro greeting_by_form(nobody) -%}
    {% set end, neutral, nameless = (
        dmail.greeting_word("end"),
        dmail.greeting_word("neutral"),
        dmail.greeting_word("nameless"),
    ) %}
    {% set addressed %}
        case
            when spoken.language in ('nl', 'es')
            then {{ dmail.upper_case("substr(named.last, 1, 1)") }} || substr(named.last, 2)
            else named.last
        end
    {% endset %}
    case
        when {{ nameless }} is null and {{ dmail.matches("lower(named.first)", "[&+]|" ~ dmail.and_words()) }}
        then concat_ws(' ', {{ neutral }}, named.first, named.last) || {{ end }}
        when spoken.language = 'en' and spoken.form in ('sir', 'dame') and named.first is not null
        then concat_ws(' ', {{ neutral }}, named.title, split_part(named.first, ' ', 1)) || {{ end }}
        {% for gender in dmail.titles() %}
            when
                kind.gender = '{{ gender }}'
                and named.last is not null
                and not kind.several
                and {{ dmail.greeting_word(gender) }} is not null
            then
                case
                    {# English uses one title. #}
                    when spoken.language = 'en' and spoken.rank is not null
                    then concat_ws(' ', {{ neutral }}, spoken.rank, named.last)
                    when {{ nameless }} is not null
                    then {{ dmail.greeting_word(gender) }}
                    else concat_ws(' ', {{ dmail.courtesy(gender) }}, spoken.rank, {{ addressed }})
                end
                || {{ end }}
        {% endfor %}
        when {{ nameless }} is not null and coalesce(named.first, named.last) is not null
        then {{ neutral }} || {{ end }}
        when named.last is not null and kind.several
        then concat_ws(' ', {{ neutral }}, named.title, {{ addressed }}) || {{ end }}
        when named.last is not null and spoken.rank is not null
        then concat_ws(' ', {{ neutral }}, spoken.rank, {{ addressed }}) || {{ end }}
        when named.first is not null
        then concat_ws(' ', {{ neutral }}, named.first, named.last) || {{ end }}
        else {{ nobody }}
    end
{%- endmacro %}

{#
    Whose title it is, 'ms' or 'mr', or null.

    Arguments:
        form (column): The title in small letters without points.
        language (column): The language of the greeting.
#}
{% macro gender_of(form, language) -%}
    case
        {% for gender, words in dmail.titles().items() %}
            when {{ dmail.matches(form, "^(?:" ~ words.any ~ ")(?: |$)") }} then '{{ gender }}'
        {% endfor %}
        {% for gender, words in dmail.titles().items() %}
            {% for tongue, more in words.items() if tongue != "any" %}
                when {{ language }} = '{{ tongue }}' and {{ dmail.matches(form, "^(?:" ~ more ~ ")(?: |$)") }}
                then '{{ gender }}'
            {% endfor %}
        {% endfor %}
    end
{%- endmacro %}

{#
    Whether a title names several people.

    Arguments:
        form (column): The title in small letters without points.
#}
{% macro names_several(form) -%} {{ dmail.matches(form, "[&+]|^famil|^rodzin|" ~ dmail.and_words()) }} {%- endmacro %}

{#
    The greeting of a woman or a man in a language, with the form that the title has: Mrs and Miss in English, Mademoiselle, Srta.

    Arguments:
        gender (string): 'ms' or 'mr'.
#}
{% macro courtesy(gender) -%}
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
            spoken.language || ' ' || split_part(spoken.form, ' ', 1)
            {% for form, greeting in forms.items() %} when '{{ form }}' then '{{ greeting }}' {% endfor %}
            else {{ dmail.greeting_word(gender) }}
        end
    {% else %} {{ dmail.greeting_word(gender) }}
    {% endif %}
{%- endmacro %}

{#
    A word of the row's language, or null if the language lacks it.

    Arguments:
        entry (string): An entry of `greetings()`.
#}
{% macro greeting_word(entry) -%}
    nullif(split_part(named.words, '|', {{ dmail.greeting_entries().index(entry) + 1 }}), '')
{%- endmacro %}

{# The entries of `greetings()` in the order of `words`, the text with all of them. #}
{% macro greeting_entries() %} {{ return(["name", "end", "neutral", "nameless", "ms", "mr"]) }} {% endmacro %}

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
        {% do words.update({"name": language, "end": words.end or ","}) %} {% set texts = [] %}
        {% for entry in dmail.greeting_entries() %} {% do texts.append(words.get(entry, "")) %} {% endfor %}
        {% do words.update({"words": texts | join("|")}) %}
    {% endfor %}
    {{ return(known) }}
{% endmacro %}
