{#
    The best offers for each piece: one row per piece, with columns `offer_1` … `offer_N` (the offer_id) and `offer_1_COLUMN` for each
    of `columns`. A relation for the extract to join by profile_id.

    An offer counts where it is valid at the slot, its `eligible` holds, and it is not used up. `cap`: only the first so many of those
    who may have an offer, in the order of `rank` and then of profile_id, keep it among their choices; so a cap is never exceeded, and
    may not be filled where they choose something better.

    Arguments:
        pieces    relation or CTE with `profile_id`, called `piece` in the expressions
        offers    relation with offer_id, valid_from and valid_until (null: no bound), cap (null: none), priority; called `offer`
        eligible  SQL over `piece` and `offer`
        rank      SQL over both: the greater, the better; by default the offer's priority
        best      how many for each piece
        columns   columns of `offers` that are wanted, such as ['text']
        fallback  the offer_id for whoever has none; none: nothing
#}
{% macro decide(pieces, offers, eligible="true", rank="offer.priority", best=1, columns=[], fallback=none) %}
    {% do dmail.number_between("decide", "best", best, 1, 50) %}
    {% if columns is string %}
        {{ exceptions.raise_compiler_error("decide(): columns takes a list of names, not `" ~ columns ~ "`") }}
    {% endif %}
    with
        candidates as (
            select
                piece.profile_id,
                offer.offer_id,
                {{ rank }} as worth,
                row_number() over (
                    partition by offer.offer_id order by {{ rank }} desc nulls last, piece.profile_id
                ) as place,
                offer.cap
            from {{ pieces }} as piece
            inner join
                {{ offers }} as offer
                on coalesce(offer.valid_from <= {{ dmail.slot() }}, true)
                and coalesce(offer.valid_until > {{ dmail.slot() }}, true)
                and ({{ eligible }})
        ),

        choices as (
            select
                profile_id,
                offer_id,
                row_number() over (partition by profile_id order by worth desc nulls last, offer_id) as choice
            from candidates
            where coalesce(place <= cap, true)
        ),

        decided as (
            select
                piece.profile_id,
                {% for place in range(1, best + 1) %}
                    {% set chosen = "max(case when choice = " ~ place ~ " then offer_id end)" %}
                    {{ "coalesce(" ~ chosen ~ ", '" ~ fallback ~ "')" if fallback and place == 1 else chosen }}
                    as offer_{{ place }}
                    {{ "," if not loop.last }}
                {% endfor %}
            from {{ pieces }} as piece
            left join choices on piece.profile_id = choices.profile_id and choices.choice <= {{ best }}
            group by piece.profile_id
        )

    select
        decided.*
        {% for place in range(1, best + 1) %}
            {% for column in columns %}, chosen_{{ place }}.{{ column }} as offer_{{ place }}_{{ column }} {% endfor %}
        {% endfor %}
    from decided
    {% for place in range(1, best + 1) %}
        left join {{ offers }} as chosen_{{ place }} on decided.offer_{{ place }} = chosen_{{ place }}.offer_id
    {% endfor %}
{% endmacro %}
