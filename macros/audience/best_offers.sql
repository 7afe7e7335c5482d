{#
    The best offers for each piece: a query with one row per `profile_id` and the columns `offer_1` to `offer_N` (offer_id), and
    `offer_1_COLUMN` for each of `columns`. An extract joins it by `profile_id`. Its columns `offer_1` to `offer_N` are recorded in the
    contact history.

    An offer is a candidate for a piece if it is valid at the slot, `eligible` holds, and its limits are not reached. A cap keeps the
    first candidates of the offer in the order of `rank`; ties are broken by lot, with a keyed hash. It is never exceeded. It may not be
    reached, because some of those candidates prefer another offer.

    Arguments:
        pieces (relation): A relation or CTE with `profile_id`. Expressions refer to it as `piece`.
        offers (relation): A relation with offer_id, valid_from and valid_until (null: unbounded), cap (null: unlimited) and priority.
            Expressions refer to it as `offer`.
        eligible (string): SQL over `piece` and `offer`.
        rank (string): SQL over `piece` and `offer`. A greater value is better. Ties between a piece's offers are broken by lot.
        best (int): The number of offers for each piece.
        columns (list[string]): The columns of `offers` to return, such as ['text'].
        fallback (any): The offer_ids for places that no offer fits, best first, or one offer_id. `eligible` does not apply to them, and
            validity and limits do. The last one is repeated within the limits, so give as many as there are places. By default, such places are null.
        per_profile (optional[string]): How often a profile may be given the same offer: a number, or SQL over `offer`. Null: unlimited.
        per (string): What the limits count: 'total' for all runs and waves of this campaign, a calendar window in the campaign's zone
            ('week', 'month', 'quarter' or 'year'), or 'file' for this file alone.
#}
{% macro best_offers(
    pieces,
    offers,
    eligible="true",
    rank="offer.priority",
    best=1,
    columns=[],
    fallback=none,
    per_profile=none,
    per="total"
) %}
    {% do dmail.number_between("best_offers", "best", best, 1, 50) %}
    {% do dmail.one_of("best_offers", "per", per, ["total", "week", "month", "quarter", "year", "file"]) %}
    {% if columns is string %}
        {{ exceptions.raise_compiler_error("best_offers(): columns takes a list of names, not `" ~ columns ~ "`") }}
    {% endif %}
    {% set fallbacks = [fallback] if fallback is string else fallback or [] %}
    {% set is_valid %}
        coalesce(offer.valid_from <= {{ dmail.slot() }}, true) and coalesce(offer.valid_until > {{ dmail.slot() }}, true)
    {% endset %}
    {% set explained = execute and env_var("DMAIL_EXPLAIN", "") != "" %}
    {# `explain` reads the query of the verdicts after these marks, in place of what follows it. #}
    {{ "/* offers begin */" if explained }}
    with
        given as ({{ dmail.given_offers(offers, per) }}),

        given_in_total as (
            select given_offer as total_offer, sum(given_times) as total_times from given group by given_offer
        ),

        candidates as (
            select
                piece.profile_id,
                offer.offer_id,
                {{ rank }} as worth,
                {{ dmail.keyed_hash(dmail.campaign_name() ~ "/offers", "piece.profile_id || '/' || offer.offer_id") }}
                as lot,
                offer.cap - coalesce(total_times, 0) as remaining
            from {{ pieces }} as piece
            inner join {{ offers }} as offer on {{ is_valid }} and ({{ eligible }})
            left join given_in_total on offer.offer_id = total_offer
            left join given on offer.offer_id = given_offer and piece.profile_id = given_profile
            {% if per_profile is not none %}
                where coalesce(coalesce(given_times, 0) < {{ per_profile }}, true)
            {% endif %}
        ),

        within_limits as (
            select
                *, row_number() over (partition by offer_id order by worth desc nulls last, lot, profile_id) as position
            from candidates
        ),

        ranked as (
            select
                profile_id,
                offer_id,
                row_number() over (partition by profile_id order by worth desc nulls last, lot, offer_id) as place
            from within_limits
            where coalesce(position <= remaining, true)
        ),

        choices as (select * from ranked where place <= {{ best }}),

        {% if fallbacks %}
            fallbacks as (
                select
                    listed.number,
                    case
                        when offer.offer_id is null
                        then {{ dmail.fail("'the fallback ' || listed.offer_id || ' is no offer_id of the offers'") }}
                        when not ({{ is_valid }})
                        then {{ dmail.fail("'the fallback ' || listed.offer_id || ' is not valid at the slot'") }}
                        else offer.offer_id
                    end as offer_id,
                    offer.cap - coalesce(total_times, 0) - coalesce(used.pieces, 0) as remaining
                    {% if per_profile is not none %}, {{ per_profile }} as profile_limit {% endif %}
                from
                    (
                        {% for name in fallbacks %}
                            select
                                {{ loop.index }} as number,
                                {{ dmail.sql_text(name) }} as offer_id
                                {{ "union all" if not loop.last }}
                        {% endfor %}
                    ) as listed
                left join {{ offers }} as offer on listed.offer_id = offer.offer_id
                left join given_in_total on listed.offer_id = total_offer
                left join
                    (select offer_id, count(*) as pieces from choices group by offer_id) as used
                    on listed.offer_id = used.offer_id
            ),

            -- The fallbacks of each piece in order, those that it has already last.
            usable as (
                select
                    piece.profile_id,
                    fallbacks.offer_id,
                    fallbacks.remaining,
                    {% if per_profile is not none %}
                        profile_limit
                        - coalesce(given_times, 0)
                        - case when choices.offer_id is null then 0 else 1 end as profile_left,
                    {% endif %}
                    row_number() over (
                        partition by piece.profile_id
                        order by case when choices.offer_id is null then 0 else 1 end, fallbacks.number
                    ) as nth,
                    count(*) over (partition by piece.profile_id) as in_all
                from {{ pieces }} as piece
                cross join fallbacks
                left join choices on piece.profile_id = choices.profile_id and fallbacks.offer_id = choices.offer_id
                {% if per_profile is not none %}
                    left join given on fallbacks.offer_id = given_offer and piece.profile_id = given_profile
                    where
                        coalesce(
                            coalesce(given_times, 0) + case when choices.offer_id is null then 0 else 1 end
                            < profile_limit,
                            true
                        )
                {% endif %}
            ),

            places as (
                {% for place in range(1, best + 1) %}
                    select {{ place }} as place {{ "union all" if not loop.last }}
                {% endfor %}
            ),

            filled as (
                select
                    usable.profile_id,
                    usable.offer_id,
                    places.place,
                    usable.remaining,
                    {% if per_profile is not none %}
                        usable.profile_left,
                        row_number() over (
                            partition by usable.profile_id, usable.offer_id order by places.place
                        ) as profile_position,
                    {% endif %}
                    row_number() over (
                        partition by usable.offer_id
                        order by
                            {{ dmail.keyed_hash(dmail.campaign_name() ~ "/fallback", "usable.profile_id") }},
                            usable.profile_id,
                            places.place
                    ) as position
                from usable
                cross join places
                left join
                    (select profile_id, count(*) as filled from choices group by profile_id) as taken
                    on usable.profile_id = taken.profile_id
                where
                    places.place > coalesce(taken.filled, 0)
                    and usable.nth = least(places.place - coalesce(taken.filled, 0), usable.in_all)
            ),
        {% endif %}

        given_now as (
            select profile_id, offer_id, place
            from choices
            {% if fallbacks %}
                union all
                select profile_id, offer_id, place
                from filled
                where
                    coalesce(position <= remaining, true)
                    {% if per_profile is not none %} and coalesce(profile_position <= profile_left, true) {% endif %}
            {% endif %}
        ),

        chosen as (
            select
                piece.profile_id,
                {% for place in range(1, best + 1) %}
                    max(case when given_now.place = {{ place }} then given_now.offer_id end) as offer_{{ place }}
                    {{ "," if not loop.last }}
                {% endfor %}
            from {{ pieces }} as piece
            left join given_now on piece.profile_id = given_now.profile_id
            group by piece.profile_id
        )

        {% if explained %}
        /* offers verdicts {{ dmail.offer_verdicts(pieces, offers, is_valid, eligible, per_profile, best) }} offers end */
        {% endif %}
    select
        chosen.*
        {% for place in range(1, best + 1) %}
            {% for column in columns %}, choice_{{ place }}.{{ column }} as offer_{{ place }}_{{ column }} {% endfor %}
        {% endfor %}
    from chosen
    {% for place in range(1, best + 1) %}
        left join {{ offers }} as choice_{{ place }} on chosen.offer_{{ place }} = choice_{{ place }}.offer_id
    {% endfor %}
{% endmacro %}

{#
    How often each profile was given each offer by this campaign: `given_profile`, `given_offer`, `given_times`. A copy of a file counts
    once with its original. This slot does not count, so that a slot that is built again gives the same offers.

    Arguments:
        offers (relation): The offers.
        per (string): As for `best_offers()`.
#}
{% macro given_offers(offers, per) %}
    {% if per == "file" %}
        select cast(null as string) as given_profile, cast(null as string) as given_offer, 0 as given_times where false
    {% else %}
        {% set history = dmail.role_model("contact_history") %}
        {% if execute and graph.get("nodes") and not dmail.has_contact_column("offers") %}
            {{
                exceptions.raise_compiler_error(
                    "best_offers(): the model with the role contact_history has no column `offers`, which the limits count: declare it, "
                    ~ "or limit each file alone with per='file'"
                )
            }}
        {% endif %}
        {% set window = none if per == "total" else dmail.within_period("slot", per) %}
        {# A fallback may fill several places of a piece, each of which counts. Two of them share no semicolon once it is doubled. #}
        {% set listed, one = "replace(contact.offers, ';', ';;')", "';' || offer.offer_id || ';'" %}
        select
            contact.profile_id as given_profile,
            offer.offer_id as given_offer,
            cast(
                sum((length({{ listed }}) - length(replace({{ listed }}, {{ one }}, ''))) / length({{ one }})) as bigint
            ) as given_times
        from
            (
                select distinct profile_id, slot, offers
                from {{ history }}
                where offers is not null and {{ dmail.contact_filter("best_offers", "this", window) }}
            ) as contact
        inner join {{ offers }} as offer on contains(contact.offers, ';' || offer.offer_id || ';')
        group by contact.profile_id, offer.offer_id
    {% endif %}
{% endmacro %}
