{# The words that the keys are made of. The vocabulary is the seed `match_words`; what is here works on any word. #}
{#
    The vocabulary and the placeholders, as a query with one row: the dictionaries `line_words` (for the street), `endings` (of compound
    words), `unit_words` (for the line with the unit), `name_words` and `placeholders`.
#}
{% macro dictionaries() %}
    select
        lines.dictionary as line_words,
        endings.dictionary as endings,
        units.dictionary as unit_words,
        names.dictionary as name_words,
        placeholders.dictionary as placeholders
    from ({{ dmail.dictionary(dmail.match_entries(["line", "unit"]), 16384) }}) as lines
    cross join ({{ dmail.dictionary(dmail.match_entries(["ending"])) }}) as endings
    cross join ({{ dmail.dictionary(dmail.match_entries(["unit"])) }}) as units
    cross join ({{ dmail.dictionary(dmail.match_entries(["name"])) }}) as names
    cross join ({{ dmail.dictionary(dmail.placeholders()) }}) as placeholders
{% endmacro %}

{#
    The entries of parts of the vocabulary, for `dictionary()`, also as `short_vowels()` spells them.

    Arguments:
        parts (list[string]): 'line', 'unit', 'ending' or 'name'.
#}
{% macro match_entries(parts) %}
    {% set query %}
        select word, min(meaning) as meaning
        from
            (
                select {{ dmail.short_vowels("word") }} as word, coalesce(match_word, '') as meaning
                from {{ ref("dmail", "match_words") }}
                where part in ('{{ parts | join("', '") }}')
                union all
                select word, coalesce(match_word, '') as meaning
                from {{ ref("dmail", "match_words") }}
                where part in ('{{ parts | join("', '") }}')
            ) as spellings
        group by word
    {% endset %}
    {{ return(query) }}
{% endmacro %}

{#
    The words of a text, with single spaces between them: anything else than letters and digits is a space. It is null if nothing is left.

    Arguments:
        bare (column): The text in small letters, without accents.
        signs (dict[string, string]): Patterns to replace before, and their replacements.
#}
{% macro plain_words(bare, signs={}) -%}
    {% set spelled = namespace(sql="translate(" ~ bare ~ ", " ~ dmail.sql_text("øłđðı'’‘ʼ`´") ~ ", 'olddi')") %}
    {% for from, to in {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}.items() %}
        {% set spelled.sql = "replace(" ~ spelled.sql ~ ", '" ~ from ~ "', '" ~ to ~ "')" %}
    {% endfor %}
    {% for pattern, replacement in signs.items() %}
        {% set spelled.sql = dmail.replace_all(spelled.sql, pattern, replacement) %}
    {% endfor %}
    nullif(trim({{ dmail.replace_all(spelled.sql, "[^\\p{L}\\p{N}_]+", " ") }}), '')
{%- endmacro %}

{#
    A text without the second letter of a vowel that other writers spell with one: Mueller and Müller become muller, Aas and Ås as.

    Arguments:
        text (column): The text, in small letters.
#}
{% macro short_vowels(text) -%} {{ dmail.replace_all(text, "([aou])e|(a)a", "\\1\\2") }} {%- endmacro %}

{#
    A name in small letters without accents: its words with single spaces between them.

    Arguments:
        bare (column): The name in small letters, without accents.
#}
{% macro plain_name(bare) -%}
    {% set letters = "[a-z'’-]+" %}
    case
        when {{ dmail.matches_whole(bare, "[a-z]+( [a-z]+)*") }}
        then {{ dmail.short_vowels(bare) }}
        when {{ dmail.matches_whole(bare, letters ~ "( " ~ letters ~ ")*") }}
        then {{ dmail.short_vowels("translate(" ~ bare ~ ", " ~ dmail.sql_text("'’-") ~ ", '')") }}
        else {{ dmail.short_vowels(dmail.plain_words(bare, {"[‐-]": ""})) }}
    end
{%- endmacro %}

{#
    A name as the vocabulary spells it. Titles are left out, what tells the generations apart begins with `+`, and a `*` follows a word
    that is often the first half of a given name: `dr mary ann smith jr` becomes `mary* ann smith +jr`.

    Arguments:
        name (column): What `plain_name()` returned.
#}
{% macro name_words(name) -%}
    case
        when contains({{ name }}, ' ')
        then {{ dmail.each_word(name, "coalesce(" ~ dmail.meaning("name_words", "word") ~ ", word)") }}
        else {{ name }}
    end
{%- endmacro %}

{#
    The given name by which a person is recognised: the first one, or both halves of a double name. Initials are left out.

    Arguments:
        words (column): What `name_words()` returned.
#}
{% macro given_name(words) -%}
    {% set plain = "trim(" ~ dmail.replace_all(words, "\\+[a-z0-9]+|( [a-z])+$", "") ~ ")" %}
    case
        when contains({{ words }}, ' ')
        then {{ dmail.replace_all(dmail.replace_all(plain, "^([^ *]{2,}) .*$", "\\1"), "( [a-z])+ | |\\*", "") }}
        else {{ words }}
    end
{%- endmacro %}

{#
    The family name by which a person is recognised: all its words as one.

    Arguments:
        words (column): What `name_words()` returned.
#}
{% macro family_name(words) -%}
    case
        when contains({{ words }}, ' ') then {{ dmail.replace_all(words, "\\+[a-z0-9]+|[ *]", "") }} else {{ words }}
    end
{%- endmacro %}

{#
    What tells a son from his father: `+jr`, `+3`, or an empty text.

    Arguments:
        first (column): What `name_words()` returned for the first name.
        last (column): What it returned for the last name.
#}
{% macro generation(first, last) -%}
    case
        when contains({{ first }}, '+')
        then {{ dmail.each_part(first, "\\+[a-z0-9]+", "part") }}
        when contains({{ last }}, '+')
        then {{ dmail.each_part(last, "\\+[a-z0-9]+", "part") }}
        else ''
    end
{%- endmacro %}

{#
    A line of an address as its words, without c/o and the name after it. Single letters are joined (`p o box`), and so are the number
    and the letter of a unit (`4-b`).

    Arguments:
        bare (column): The line in small letters, without accents.
#}
{% macro line_words(bare) -%}
    {% set person = "^(?:" ~ dmail.in_care_of() ~ ")[^0-9,]*,?|[ ,](?:" ~ dmail.in_care_of() ~ ").*$" %}
    {% set signs = {
        person: "",
        "\\b([a-z])/": "\\1_ ",
        "[ºª]": "_",
        "\\b([a-z])[.-]([a-z0-9])": "\\1\\2",
        "([0-9])-([a-z])\\b": "\\1\\2",
    } %}
    {% set letters = "\\b([a-z]) ([a-z])\\b(?: ([a-z])\\b)?" %}
    {% set odd = "\\b[a-z](?:\\.? [a-z]\\b|[.-][a-z0-9])|[0-9]-[a-z]|[^0-9a-z ,.#'’-]|" ~ dmail.in_care_of() %}
    {# Few lines are odd. To test them is cheaper than to rewrite them. #}
    case
        when {{ dmail.matches(bare, odd) }}
        then {{ dmail.replace_all(dmail.plain_words(bare, signs), letters, "\\1\\2\\3") }}
        when {{ dmail.matches_whole(bare, "[0-9a-z]+( [0-9a-z]+)*") }}
        then {{ bare }}
        else {{ dmail.single_spaces("translate(" ~ bare ~ ", " ~ dmail.sql_text(" ,.#-'’") ~ ", '     ')") }}
    end
{%- endmacro %}

{#
    A text with single spaces, and none at its ends. It is null if nothing is left.

    Arguments:
        text (column): The text.
#}
{% macro single_spaces(text) -%}
    nullif(trim(replace(replace(replace({{ text }}, '  ', ' '), '  ', ' '), '  ', ' ')), '')
{%- endmacro %}

{# A pattern for what stands before the name of somebody else, at whose address a person lives. #}
{% macro in_care_of() %}
    {{ return("\\bc ?/ ?o\\b|\\bcare of\\b|\\battn\\b|\\battention\\b|\\bz\\. ?hd\\b|^chez\\b|^p/a\\b") }}
{% endmacro %}

{#
    The words of a street, as the vocabulary spells them: `12 n oak st 5`. In countries with compound words, the last three letters
    of a word are looked up, too (`hauptstr`).

    Arguments:
        words (column): What `line_words()` returned.
        country_code (column): ISO 3166-1 alpha-2.
#}
{% macro street_words(words, country_code) -%}
    {% set ending = dmail.meaning("endings", "right(word, 3)") %}
    {% set compound = "left(word, length(word) - 3) || " ~ ending %}
    {% set spelled %}
        case
            when word < ':'
            then {{ dmail.cardinal("word") }}
            else
                coalesce(
                    {{ dmail.meaning("line_words", "word", 16384) }},
                    case when {{ dmail.has_compounds(country_code) }} then {{ compound }} end,
                    word
                )
        end
    {% endset %}
    {{ dmail.each_word(words, spelled) }}
{%- endmacro %}

{#
    SQL that is true for the countries whose languages write the name and the type of a street as one word, and umlauts as two letters.

    Arguments:
        country_code (column): ISO 3166-1 alpha-2.
#}
{% macro has_compounds(country_code) -%}
    {{ country_code }} in ('DE', 'AT', 'CH', 'LI', 'LU', 'NL', 'BE', 'SE', 'NO', 'DK')
{%- endmacro %}

{#
    What a line with a unit tells of its place: the numbers, single letters, and words such as `rear`. The names of houses and firms are
    spelled differently each time.

    Arguments:
        words (column): What `line_words()` returned.
#}
{% macro unit_parts(words) -%}
    {% set spelled %}
        case
            when word < ':'
            then {{ dmail.cardinal("word") }}
            when length(word) = 1 or {{ dmail.matches_whole("word", "[a-z][0-9]+") }}
            then word
            else {{ dmail.meaning("unit_words", "word") }}
        end
    {% endset %}
    {{ dmail.each_word(words, spelled) }}
{%- endmacro %}

{#
    A number without the ending of an ordinal: 8th becomes 8.

    Arguments:
        word (column): A word.
#}
{% macro cardinal(word) -%}
    case
        when right({{ word }}, 1) in ('t', 'd', 'h')
        then {{ dmail.replace_first(word, "^([0-9]+)(?:st|nd|rd|th)$", "\\1") }}
        else {{ word }}
    end
{%- endmacro %}

{#
    Words without what the vocabulary has left of them: `2~ 3` for twenty-third, signs that no word has taken (`a_`), and the space before
    the letter of a unit at the end (`4 b`).

    Arguments:
        words (column): The words.
#}
{% macro tidy_words(words) -%}
    {% set joined = dmail.replace_all(words, "~ ([1-9])\\b|_", "\\1") %}
    case
        when {{ dmail.matches(words, "[~_]|[0-9] [a-z]$") }}
        then replace({{ dmail.replace_first(joined, "([0-9]) ([a-z])$", "\\1\\2") }}, '~', '0')
        else {{ words }}
    end
{%- endmacro %}
