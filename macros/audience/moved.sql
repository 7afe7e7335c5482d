{#
    Excludes people who have moved away from their address, as an address service knows. `explain` shows the given and the new address.

    With `use="new"` it keeps those who are mailed at their new address. Then the model of the addresses must print it:
    `postal_addresses(…, answers=ref("int_address_services"))`. People without a complete new address are excluded.

    It reads the model with the role `address_services`: docs/howto/address-services.md.

    Arguments:
        use (string): 'exclude' or 'new'.
        services (list[string]): The services that count: entries of profiles/inbound.yml. By default, all of them.
        max_age_days (optional[int]): The greatest age of an answer at the slot. By default, all answers count.
        reason (string): The exclusion reason.
#}
{% macro moved(use="exclude", services=[], max_age_days=none, reason="moved") %}
    {% do dmail.one_of("moved", "use", use, ["exclude", "new"]) %}
    {% set moves %}
        select
            profile_id as moved_away_id,
            max(
                concat(
                    'by ',
                    entry,
                    ' on ',
                    cast(cast(answered_at as date) as string),
                    coalesce(
                        ' to '
                        || nullif(
                            concat_ws(
                                ', ',
                                new_address_line1,
                                new_address_line2,
                                new_city,
                                new_region,
                                new_postal_code,
                                new_country_code
                            ),
                            ''
                        ),
                        ' without a new address'
                    )
                )
            ) as moved_away
        from {{ dmail.role_model("address_services") }}
        where change = 'moved' {{ dmail.answers_that_count("moved", services, max_age_days) }}
        group by profile_id
    {% endset %}
    {% set shows = {"moved": "coalesce(moved_away, 'no')"} %}
    {% if use == "new" %} {% do shows.update({"given address": "coalesce(given_address, '(as it is)')"}) %} {% endif %}
    {{
        return(
            {
                "reason": reason,
                "joins": [{"query": moves, "on": "profile_id = moved_away_id"}],
                "condition": "moved_away is not null" ~ (" and address_change is null" if use == "new" else ""),
                "shows": shows,
            }
        )
    }}
{% endmacro %}
