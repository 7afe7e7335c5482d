{#
    What address services know about the address that each person has now: a query with one row for each person and service that has
    answered for this name and address, and one row without an `entry` for a person about whom none has. The model with the role
    `address_services` is this query. `dmail-runner addresses export` asks about the people in it: docs/howto/address-services.md.

        request_id                      a hash of the person, the name and the address as given. The service sends it back
        country_code                    the country as given, normalised; a missing country is the variable `home_country`
        entry                           the service: an entry of profiles/inbound.yml
        change                          moved, no_forwarding, address_closed, confirmed
        new_address_line1 …             the new address, if the service gives one
        moved_on                        the day of the move, if the service gives it
        answered_at                     when the answer was received

    An answer counts only for the name and the address that were asked about: if one of them changes, the person is asked about again.

    Arguments:
        people (relation): People with the name and address columns of `stg_profiles`, as the source has them.
#}
{% macro address_services(people) %}
    with
        people as (select * from {{ people }}),

        asked as (
            select
                profile_id,
                {{ dmail.address_request_id() }} as request_id,
                {{ dmail.address_request_columns() | reject("equalto", "country_code") | join(", ") }},
                {{ dmail.country_code("coalesce(country_code, '" ~ var("home_country") ~ "')") }} as country_code
            from people
        ),

        received as (
            select
                *,
                row_number() over (
                    partition by profile_id, request_id, entry order by received_at desc, file desc, row_number desc
                ) as answer_number
            from {{ ref("dmail", "stg_address_updates") }}
            where request_id is not null and profile_id is not null
        ),

        final as (
            select
                asked.*,
                received.entry,
                received.change,
                {% for column in dmail.new_address_columns() %}
                    {{ dmail.clean_text("received." ~ column) }} as new_{{ column }},
                {% endfor %}
                received.happened_at as moved_on,
                received.received_at as answered_at
            from asked
            left join
                received
                on asked.profile_id = received.profile_id
                and asked.request_id = received.request_id
                and received.answer_number = 1
        )

    select *
    from final
{% endmacro %}

{# The columns that an address service is asked about, besides `profile_id` and `request_id`. #}
{% macro address_request_columns() %}
    {{
        return(
            [
                "first_name",
                "last_name",
                "company",
                "address_line1",
                "address_line2",
                "city",
                "region",
                "postal_code",
                "country_code",
            ]
        )
    }}
{% endmacro %}

{# The columns of a new address in the answer of an address service. #}
{% macro new_address_columns() %}
    {{ return(["address_line1", "address_line2", "city", "region", "postal_code", "country_code"]) }}
{% endmacro %}

{#
    SQL of the key of a question to an address service: the same for the same person, name and address, whenever it is asked. An export
    that is made twice therefore has the same keys, and the answers to both count.
#}
{% macro address_request_id() -%}
    md5(
        concat_ws(
            '|',
            profile_id
            {% for column in dmail.address_request_columns() %}, coalesce(cast({{ column }} as string), '') {% endfor %}
        )
    )
{%- endmacro %}

{#
    People with the new address of those who have moved: a query with all columns of the relation. It adds:

        given_address    the address as the source has it, on one line, of a person whose address was replaced
        address_change   `moved` if the address was replaced, or null

    The newest move counts that has a street line, a city and a postal code. A new address without a country is in the given one.

    Arguments:
        people (relation): People with the name and address columns of `stg_profiles`.
        answers (relation): The model with the role `address_services`.
#}
{% macro with_new_addresses(people, answers) %}
    {% set columns = dmail.new_address_columns() %}
    with
        people as (select * from {{ people }}),

        moves as (
            select
                profile_id as moved_profile_id,
                {{ columns | map("replace", "", "new_", 1) | join(", ") }},
                row_number() over (partition by profile_id order by answered_at desc, entry) as move_number
            from {{ answers }}
            where {{ dmail.has_new_address() }}
        )

    select
        {{ dmail.star_except(columns, "people") }},
        {% for column in columns %}
            case
                when moved_profile_id is null
                then people.{{ column }}
                else
                    {{
                        (
                            "coalesce(new_country_code, people.country_code)"
                            if column == "country_code"
                            else "new_" ~ column
                        )
                    }}
            end as {{ column }},
        {% endfor %}
        case
            when moved_profile_id is not null
            then
                concat_ws(', ', {% for column in columns %} people.{{ column }} {{ "," if not loop.last }} {% endfor %})
        end as given_address,
        case when moved_profile_id is not null then 'moved' end as address_change
    from people
    left join moves on people.profile_id = moves.moved_profile_id and move_number = 1
{% endmacro %}

{# SQL that is true for an answer with a new address that can be printed. #}
{% macro has_new_address() -%}
    change = 'moved' and new_address_line1 is not null and new_city is not null and new_postal_code is not null
{%- endmacro %}
