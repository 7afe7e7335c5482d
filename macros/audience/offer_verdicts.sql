{#
    For `dmail-runner explain`: a query over the common table expressions of `best_offers()`, with one row per piece and offer. `place` is
    the place that the offer has on the piece, and `verdict` says why it has none.

    Arguments:
        pieces (relation): As for `best_offers()`.
        offers (relation): As for `best_offers()`.
        is_valid (string): SQL that is true for an `offer` that is valid at the slot.
        eligible (string): As for `best_offers()`.
        per_profile (optional[string]): As for `best_offers()`.
        best (int): As for `best_offers()`.
#}
{% macro offer_verdicts(pieces, offers, is_valid, eligible, per_profile, best) %}
    select
        piece.profile_id,
        offer.offer_id,
        chosen_offer.place,
        case
            when chosen_offer.place is not null
            then 'offer_' || cast(chosen_offer.place as string)
            when not ({{ is_valid }})
            then
                'not valid at the slot: from '
                || coalesce(cast(offer.valid_from as string), 'ever')
                || ' until '
                || coalesce(cast(offer.valid_until as string), 'ever')
            when not coalesce(({{ eligible }}), false)
            then 'not eligible'
            {% if per_profile is not none %}
                when not coalesce(coalesce(given.given_times, 0) < {{ per_profile }}, true)
                then 'the profile has had it as often as it may: ' || cast(given.given_times as string)
            {% endif %}
            when within_limits.position > within_limits.remaining
            then
                'its cap is reached: it is left for '
                || cast(greatest(within_limits.remaining, 0) as string)
                || ', and this piece is number '
                || cast(within_limits.position as string)
            else 'lower rank: place ' || cast(ranked.place as string) || ', of which {{ best }} are given'
        end as verdict
    from {{ pieces }} as piece
    cross join {{ offers }} as offer
    left join given on offer.offer_id = given.given_offer and piece.profile_id = given.given_profile
    left join within_limits on piece.profile_id = within_limits.profile_id and offer.offer_id = within_limits.offer_id
    left join ranked on piece.profile_id = ranked.profile_id and offer.offer_id = ranked.offer_id
    left join
        (select profile_id, offer_id, min(place) as place from given_now group by profile_id, offer_id) as chosen_offer
        on piece.profile_id = chosen_offer.profile_id
        and offer.offer_id = chosen_offer.offer_id
{% endmacro %}
