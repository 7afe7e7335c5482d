{#
    A dictionary of words, for the lookup of many words: a query with one row and the column `dictionary`. A map would be searched word by
    word, and a join would need a row for each word of a text.

    The dictionary is a hash table: `words` and `meanings` have a place for each hash value, and the few words that share
    a place with another one are in the map `others`.

    Arguments:
        entries (string): A query with the columns `word`, which is unique, and `meaning`, which is not null.
        places (int): The number of hash values, a power of two. It must be several times the number of words.
#}
{% macro dictionary(entries, places=1024) %}
    {{ return(adapter.dispatch("dictionary", "dmail")(entries, places)) }}
{% endmacro %}

{% macro default__dictionary(entries, places) %}
    with
        known_words as (
            select word, meaning, {{ dmail.dictionary_place("word", places) }} as place from ({{ entries }})
        ),

        firsts as (select place, min(word) as word, min_by(meaning, word) as meaning from known_words group by place),

        rest as (
            select known_words.word, known_words.meaning
            from known_words
            left join firsts on known_words.word = firsts.word
            where firsts.word is null
        ),

        places as ({{ dmail.numbers_below(places) }})

    select {{ dmail.dictionary_struct() }} as dictionary
    from
        (select places.number, firsts.word, firsts.meaning from places left join firsts on places.number = firsts.place)
{% endmacro %}

{# An object of JSON, which PostgreSQL searches by halves. #}
{% macro postgres__dictionary(entries, places) %}
    select jsonb_object_agg(word, meaning) as dictionary from ({{ entries }}) as entries
{% endmacro %}

{#
    The meaning of a word in a dictionary, or null if the dictionary does not have the word.

    Arguments:
        dictionary (column): What `dictionary()` returned.
        word (column): The word.
        places (int): The same as for `dictionary()`.
#}
{% macro meaning(dictionary, word, places=1024) -%}
    {{ return(adapter.dispatch("meaning", "dmail")(dictionary, word, places)) }}
{%- endmacro %}

{% macro default__meaning(dictionary, word, places) -%}
    {# Most words have no place in the dictionary. The search of the map is slow. #}
    {% set there = dmail.list_at(dictionary ~ ".words", dmail.dictionary_place(word, places)) %}
    case
        when {{ there }} is null
        then null
        when {{ there }} = {{ word }}
        then {{ dmail.list_at(dictionary ~ ".meanings", dmail.dictionary_place(word, places)) }}
        else {{ dictionary }}.others[{{ word }}]
    end
{%- endmacro %}

{% macro postgres__meaning(dictionary, word, places) -%} ({{ dictionary }} ->> {{ word }}) {%- endmacro %}

{#
    The place of a word in a dictionary, from 0.

    Arguments:
        word (column): The word.
        places (int): The number of places.
#}
{% macro dictionary_place(word, places) -%}
    {{ adapter.dispatch("dictionary_place", "dmail")(word, places) }}
{%- endmacro %}

{% macro default__dictionary_place(word, places) -%} cast(hash({{ word }}) & {{ places - 1 }} as bigint) {%- endmacro %}

{% macro spark__dictionary_place(word, places) -%}(hash({{ word }}) & {{ places - 1 }}) {%- endmacro %}

{#
    An element of a list by a computed place, or null beyond its end.

    Arguments:
        list (column): The list.
        place (column): The place, from 0.
#}
{% macro list_at(list, place) -%} {{ adapter.dispatch("list_at", "dmail")(list, place) }} {%- endmacro %}

{% macro default__list_at(list, place) -%} {{ list }} [{{ place }} + 1] {%- endmacro %}

{% macro spark__list_at(list, place) -%} get({{ list }}, {{ place }}) {%- endmacro %}

{#
    A query with the whole numbers from 0, in the column `number`.

    Arguments:
        count (int): How many.
#}
{% macro numbers_below(count) -%} {{ adapter.dispatch("numbers_below", "dmail")(count) }} {%- endmacro %}

{% macro default__numbers_below(count) -%} select unnest(range({{ count }})) as number {%- endmacro %}

{% macro spark__numbers_below(count) -%} select explode(sequence(0, {{ count - 1 }})) as number {%- endmacro %}

{# An aggregate over `number`, `word` and `meaning`, and the relation `rest`: the dictionary. #}
{% macro dictionary_struct() -%} {{ adapter.dispatch("dictionary_struct", "dmail")() }} {%- endmacro %}

{% macro default__dictionary_struct() -%}
    struct_pack(
        words := list(word order by number),
        meanings := list(meaning order by number),
        others := (select map(coalesce(list(word), []), coalesce(list(meaning), [])) from rest)
    )
{%- endmacro %}

{% macro spark__dictionary_struct() -%}
    named_struct(
        'words',
        transform(array_sort(collect_list(struct(number, word))), place -> place.word),
        'meanings',
        transform(array_sort(collect_list(struct(number, meaning))), place -> place.meaning),
        'others',
        (select map_from_entries(collect_list(struct(word, meaning))) from rest)
    )
{%- endmacro %}
