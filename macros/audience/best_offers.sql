{#
    The best offers for each piece: a query with one row per `profile_id` and the columns `offer_1` to `offer_N` (offer_id), and
    `offer_1_COLUMN` for each of `columns`. An extract joins it by `profile_id`.

    An offer is a candidate for a piece if it is valid at the slot, `eligible` holds, and its cap is not reached. A cap keeps the
    first `cap` candidates of the offer, in the order of `rank` and then of `profile_id`. It is never exceeded. It may not be
    reached, because some of those candidates prefer another offer.

    Arguments:
        pieces (relation): A relation or CTE with `profile_id`. Expressions refer to it as `piece`.
        offers (relation): A relation with offer_id, valid_from and valid_until (null: unbounded), cap (null: unlimited) and priority.
            Expressions refer to it as `offer`.
        eligible (string): SQL over `piece` and `offer`.
        rank (string): SQL over `piece` and `offer`. A greater value is better.
        best (int): The number of offers for each piece.
        columns (list[string]): The columns of `offers` to return, such as ['text'].
        fallback (optional[string]): The offer_id for pieces that no offer fits. It must be one of the offers. By default, `offer_1` is null
            there.
#}
{% macro best_offers(pieces, offers, eligible="true", rank="offer.priority", best=1, columns=[], fallback=none) %}
    {% do dmail.number_between("best_offers", "best", best, 1, 50) %}
    {% if columns is string %}
        {{ exceptions.raise_compiler_error("best_offers(): columns takes a list of names, not `" ~ columns ~ "`") }}
    {% endif %}
    with
        candidates as (
            select
                piece.profile_id,
                offer.offer_id,
                {{ rank }} as worth,
                row_number() over (
                    partition by offer.offer_id order by {{ rank }} desc nulls last, piece.profile_id
                ) as position,
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
            where coalesce(position <= cap, true)
        ),

        {% if fallback %}
            fallback as (
                select
                    case
                        when count(*) = 0
                        then
                            {{
                                dmail.fail(
                                    "'the fallback " ~ fallback.replace("'", "''") ~ " is no offer_id of the offers'"
                                )
                            }}
                        else {{ dmail.sql_text(fallback) }}
                    end as offer_id
                from {{ offers }}
                where offer_id = {{ dmail.sql_text(fallback) }}
            ),
        {% endif %}

        chosen as (
            select
                piece.profile_id,
                {% for choice in range(1, best + 1) %}
                    {% set offer %} max(case when choice = {{ choice }} then offer_id end) {% endset %}
                    {% if fallback and choice == 1 %} coalesce({{ offer }}, (select offer_id from fallback))
                    {% else %} {{ offer }}
                    {% endif %} as offer_{{ choice }}
                    {{ "," if not loop.last }}
                {% endfor %}
            from {{ pieces }} as piece
            left join choices on piece.profile_id = choices.profile_id and choices.choice <= {{ best }}
            group by piece.profile_id
        )

    select
        chosen.*
        {% for choice in range(1, best + 1) %}
            {% for column in columns %}
                , choice_{{ choice }}.{{ column }} as offer_{{ choice }}_{{ column }}
            {% endfor %}
        {% endfor %}
    from chosen
    {% for choice in range(1, best + 1) %}
        left join {{ offers }} as choice_{{ choice }} on chosen.offer_{{ choice }} = choice_{{ choice }}.offer_id
    {% endfor %}
{% endmacro %}
