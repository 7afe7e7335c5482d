{# Sort plans of the posts: docs/howto/sort-plans.md. #}
{#
    The pieces in the order of the United States Postal Service's presort for automation letters, as a query. It adds the columns

        post_level               `5_digit`, `3_digit`, `area` or `mixed`
        post_destination         what the container's label names: the ZIP Code, its first three digits, the area (SCF), or `mixed`
        post_container           the number of the container, from 1, in the order of the file
        post_container_sequence  the number of the piece in its container, from 1
        post_sequence            the number of the piece in the file, from 1

    Pieces whose ZIP Code is not valid, and those to other countries, are the last ones of `mixed`. The areas are those of the seed
    `us_sort_areas`.

    Arguments:
        pieces (string): A relation or CTE with the columns `country_code`, `postal_code` and `order_by`.
        container (optional[int]): The number of pieces that a tray holds. A destination with more of them gets several trays of about
            the same size. By default, each destination is one container.
        minimums (dict[string, int]): Other minimums than the post's 150 pieces, by level.
        order_by (string): The column that identifies a row. It decides among pieces with the same postal code.
#}
{% macro us_presort(pieces="pieces", container=none, minimums={}, order_by="profile_id") %}
    {% set code = "cast(pieces.postal_code as string)" %}
    {% set valid %}
        pieces.country_code = 'US' and areas.zip_prefix is not null
        and {{ dmail.matches(code, "^[0-9]{5}(-?[0-9]{4})?$") }}
    {% endset %}
    {% set levels = [
        {"name": "5_digit", "key": "substr(" ~ code ~ ", 1, 5)", "minimum": 150},
        {"name": "3_digit", "key": "substr(" ~ code ~ ", 1, 3)", "minimum": 150},
        {"name": "area", "key": "areas.area", "minimum": 150},
    ] %}
    {% set join %}
        left join {{ dmail.small(ref("dmail", "us_sort_areas")) }} as areas on substr({{ code }}, 1, 3) = areas.zip_prefix
    {% endset %}
    {{ dmail.sorted_pieces("us_presort", pieces, levels, valid, container, minimums, order_by, join) }}
{% endmacro %}

{#
    The pieces in the order of Deutsche Post's Dialogpost, as a query with the columns of `us_presort()`. The levels are `leitregion`, the
    first two digits of the postal code, `leitzone`, the first one, and `mixed` for pieces whose code is not valid or not German.

    Arguments:
        pieces (string): As for `us_presort()`.
        container (optional[int]): As for `us_presort()`.
        minimums (dict[string, int]): Other minimums than 200 pieces for a Leitregion and 1 for a Leitzone.
        order_by (string): As for `us_presort()`.
#}
{% macro de_dialogpost(pieces="pieces", container=none, minimums={}, order_by="profile_id") %}
    {% set code = "cast(pieces.postal_code as string)" %}
    {# There are no codes that begin with 00, 05, 43 or 62. #}
    {% set valid %}
        pieces.country_code = 'DE' and {{ dmail.matches(code, "^(0[1-46-9]|[1-357-9][0-9]|4[0-24-9]|6[013-9])[0-9]{3}$") }}
    {% endset %}
    {% set levels = [
        {"name": "leitregion", "key": "substr(" ~ code ~ ", 1, 2)", "minimum": 200},
        {"name": "leitzone", "key": "substr(" ~ code ~ ", 1, 1)", "minimum": 1},
    ] %}
    {{ dmail.sorted_pieces("de_dialogpost", pieces, levels, valid, container, minimums, order_by) }}
{% endmacro %}

{#
    The pieces in the order of Royal Mail's sorted services, as a query with the columns of `us_presort()`. The levels are `district`, the
    first half of the postcode, which stands for a direct selection, `area`, its first letters, which stands for a residue selection,
    and `mixed` for pieces whose postcode is not valid or not British.

    Arguments:
        pieces (string): As for `us_presort()`.
        container (optional[int]): As for `us_presort()`.
        minimums (dict[string, int]): Other minimums than 50 pieces for a district and 1 for an area.
        order_by (string): As for `us_presort()`.
#}
{% macro uk_mailsort(pieces="pieces", container=none, minimums={}, order_by="profile_id") %}
    {% set code = "replace(upper(cast(pieces.postal_code as string)), ' ', '')" %}
    {% set valid %}
        pieces.country_code = 'GB' and {{ dmail.matches(code, "^[A-Z]{1,2}[0-9][0-9A-Z]?[0-9][A-Z]{2}$") }}
    {% endset %}
    {% set levels = [
        {"name": "district", "key": "substr(" ~ code ~ ", 1, length(" ~ code ~ ") - 3)", "minimum": 50},
        {"name": "area", "key": dmail.replace_first(code, "^([A-Z]+).*$", "\\1"), "minimum": 1},
    ] %}
    {{ dmail.sorted_pieces("uk_mailsort", pieces, levels, valid, container, minimums, order_by) }}
{% endmacro %}

{#
    The pieces in the order of the Brazilian CEP, as a query with the columns of `us_presort()`. The levels are `sector`, the first three
    digits of the code, `state`, the state that the seed `postal_regions` has for them, `region`, the first digit, and `mixed` for
    pieces whose code is not valid or not Brazilian. Sectors that two states share skip the level `state`.

    Arguments:
        pieces (string): As for `us_presort()`.
        container (optional[int]): As for `us_presort()`.
        minimums (dict[string, int]): The least number of pieces by level: `sector`, `state` and `region`. All three are required, because
            Correios agrees them by contract.
        order_by (string): As for `us_presort()`.
#}
{% macro br_cep(pieces="pieces", container=none, minimums={}, order_by="profile_id") %}
    {% set code = "replace(cast(pieces.postal_code as string), '-', '')" %}
    {% set valid %}
        pieces.country_code = 'BR' and states.postal_prefix is not null and {{ dmail.matches(code, "^[0-9]{8}$") }}
    {% endset %}
    {% set levels = [
        {"name": "sector", "key": "substr(" ~ code ~ ", 1, 3)", "minimum": none},
        {
            "name": "state",
            "key": "case when not contains(states.region_keys, '|') then states.region_keys end",
            "minimum": none,
        },
        {"name": "region", "key": "substr(" ~ code ~ ", 1, 1)", "minimum": none},
    ] %}
    {% set query %}
        (select postal_prefix, region_keys from {{ ref("dmail", "postal_regions") }} where country_code = 'BR')
    {% endset %}
    {% set join %}
        left join {{ dmail.small(query) }} as states on substr({{ code }}, 1, 3) = states.postal_prefix
    {% endset %}
    {{ dmail.sorted_pieces("br_cep", pieces, levels, valid, container, minimums, order_by, join) }}
{% endmacro %}

{#
    The pieces by a plan of levels, from the finest to the coarsest. A destination of a level whose pieces are at least its minimum gets
    them; what is left goes to the next level, and at last to `mixed`. Only the counts of the finest destinations are planned, so that
    the work per piece does not depend on their number.

    Arguments:
        plan (string): The name of the plan, for messages.
        pieces (string): The relation or CTE.
        levels (list[any]): A mapping for each level: `name`, `key` and `minimum`. The finest key determines the others.
        valid (column): Whether the plan knows the postal code. Null counts as false.
        container (optional[int]): The largest number of pieces in a container.
        minimums (dict[string, int]): Minimums by level, which replace those of the levels.
        order_by (string): The column that identifies a row.
        join (string): A join with a table of the post. It joins at most one row.
#}
{% macro sorted_pieces(plan, pieces, levels, valid, container, minimums, order_by, join="") %}
    {% set least = dmail.sort_minimums(plan, levels, container, minimums) %}
    {% set last = levels | length %}
    {% set own = [] %}
    {% for _ in levels %} {% do own.append("sort_key_" ~ loop.index) %} {% endfor %}
    {% set keys = own | join(", ") %}
    {% set own = own + [
        "sort_place",
        "sort_level",
        "sort_destination",
        "sort_total",
        "sort_containers",
        "sort_containers_before",
        "sort_pieces_before",
        "sort_place_there",
        "sort_index",
    ] %}
    {% set share = dmail.quotient("sort_place_there * sort_containers", "sort_total") %}
    {% set before %} {{ dmail.quotient("sort_index * sort_total + sort_containers - 1", "sort_containers") }} {% endset %}
    with
        {# The code is compared as text, and the key decides among equal codes: the order is total. #}
        valid_pieces as (
            select
                pieces.*,
                {% for level in levels %}
                    case
                        when {{ valid }} then {{ level.key }}
                    end as sort_key_{{ loop.index }}{{ "," if not loop.last }}
                {% endfor %}
            from {{ pieces }} as pieces {{ join }}
        ),

        placed_pieces as (
            select
                valid_pieces.*,
                row_number() over (
                    partition by sort_key_1 order by cast(postal_code as string) nulls last, {{ order_by }}
                )
                - 1 as sort_place
            from valid_pieces
        ),

        sort_counts_0 as (
            select {{ keys }}, count(*) as pieces, cast(null as integer) as level_0
            from placed_pieces
            group by {{ keys }}
        ),

        {% for level in levels %}
            sort_counts_{{ loop.index }} as (
                select
                    *,
                    case
                        when level_{{ loop.index0 }} is not null
                        then level_{{ loop.index0 }}
                        when
                            sort_key_{{ loop.index }} is not null
                            and sum(case when level_{{ loop.index0 }} is null then pieces else 0 end) over (
                                partition by sort_key_{{ loop.index }}
                            )
                            >= {{ least[loop.index0] }}
                        then {{ loop.index }}
                    end as level_{{ loop.index }}
                from sort_counts_{{ loop.index0 }}
            ),
        {% endfor %}

        sort_groups as (
            select
                sort_key_1,
                pieces,
                coalesce(level_{{ last }}, {{ last + 1 }}) as sort_level,
                case
                    level_{{ last }}
                    {% for level in levels %} when {{ loop.index }} then sort_key_{{ loop.index }} {% endfor %}
                    else 'mixed'
                end as sort_destination
            from sort_counts_{{ last }}
        ),

        sort_destinations as (
            select
                *,
                {% if container %} {{ dmail.quotient("sort_total + " ~ (container - 1), container) }} as sort_containers
                {% else %} cast(1 as bigint) as sort_containers
                {% endif %}
            from
                (
                    select sort_level, sort_destination, cast(sum(pieces) as bigint) as sort_total
                    from sort_groups
                    group by sort_level, sort_destination
                ) as sums
        ),

        sort_starts as (
            select
                *,
                cast(
                    sum(sort_containers) over (order by sort_level, sort_destination rows unbounded preceding)
                    - sort_containers as bigint
                ) as sort_containers_before,
                cast(
                    sum(sort_total) over (order by sort_level, sort_destination rows unbounded preceding)
                    - sort_total as bigint
                ) as sort_pieces_before
            from sort_destinations
        ),

        {# Pieces without a key are the last ones of their sort_destination. #}
        sort_offsets as (
            select
                sort_groups.sort_key_1,
                sort_starts.*,
                cast(
                    sum(sort_groups.pieces) over (
                        partition by sort_groups.sort_level, sort_groups.sort_destination
                        order by sort_groups.sort_key_1 nulls last
                        rows unbounded preceding
                    )
                    - sort_groups.pieces as bigint
                ) as sort_group_before
            from sort_groups
            inner join
                sort_starts
                on sort_groups.sort_level = sort_starts.sort_level
                and sort_groups.sort_destination = sort_starts.sort_destination
        ),

        sort_rows as (
            select
                placed_pieces.*,
                sort_offsets.sort_level,
                sort_offsets.sort_destination,
                sort_offsets.sort_total,
                sort_offsets.sort_containers,
                sort_offsets.sort_containers_before,
                sort_offsets.sort_pieces_before,
                sort_offsets.sort_group_before + placed_pieces.sort_place as sort_place_there
            from placed_pieces
            inner join
                {{ dmail.small("sort_offsets") }} as sort_offsets
                on coalesce(placed_pieces.sort_key_1, '') = coalesce(sort_offsets.sort_key_1, '')
        ),

        sort_indexed as (select *, {{ share }} as sort_index from sort_rows)

    select
        {{ dmail.star_except(own) }},
        case
            sort_level
            {% for level in levels %} when {{ loop.index }} then {{ dmail.sql_text(level.name) }} {% endfor %}
            else 'mixed'
        end as post_level,
        sort_destination as post_destination,
        cast(sort_containers_before + sort_index + 1 as bigint) as post_container,
        cast(sort_place_there - {{ before }} + 1 as bigint) as post_container_sequence,
        cast(sort_pieces_before + sort_place_there + 1 as bigint) as post_sequence
    from sort_indexed
{% endmacro %}

{#
    The minimums of a plan's levels, in their order. Raises a compile error if a level is unknown or has no minimum, or if a container is
    so small that a destination could not be divided without falling below its minimum.

    Arguments:
        plan (string): As for `sorted_pieces()`.
        levels (list[any]): As for `sorted_pieces()`.
        container (optional[int]): As for `sorted_pieces()`.
        minimums (dict[string, int]): As for `sorted_pieces()`.
#}
{% macro sort_minimums(plan, levels, container, minimums) %}
    {% set names, found = [], [] %}
    {% for level in levels %} {% do names.append(level.name) %} {% endfor %}
    {% for name in minimums %} {% do dmail.one_of(plan, "minimums", name, names) %} {% endfor %}
    {% for level in levels %}
        {% set least = minimums.get(level.name, level.minimum) %}
        {% do dmail.number_between(plan, "minimums[" ~ level.name ~ "]", least, 1, 1000000) %}
        {% if container is not none %}
            {% do dmail.number_between(plan, "container", container, 2 * least - 1, 1000000) %}
        {% endif %}
        {% do found.append(least) %}
    {% endfor %}
    {{ return(found) }}
{% endmacro %}
