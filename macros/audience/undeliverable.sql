{#
    Excludes people whose address an address service knows to be useless: they have left without a new address, or the address is closed.
    The exclusion ends when the person has another name or address.

    It reads the model with the role `address_services`: docs/howto/address-services.md.

    Arguments:
        services (list[string]): The services that count: entries of profiles/inbound.yml. By default, all of them.
        max_age_days (optional[int]): The greatest age of an answer at the slot. By default, all answers count.
        reason (string): The exclusion reason.
#}
{% macro undeliverable(services=[], max_age_days=none, reason="undeliverable") %}
    {% set lost %}
        select
            profile_id as lost_profile_id,
            max(concat(change, ' by ', entry, ' on ', cast(cast(answered_at as date) as string))) as lost_address
        from {{ dmail.role_model("address_services") }}
        where change in ('no_forwarding', 'address_closed') {{ dmail.answers_that_count("undeliverable", services, max_age_days) }}
        group by profile_id
    {% endset %}
    {{
        return(
            {
                "reason": reason,
                "joins": [{"query": lost, "on": "profile_id = lost_profile_id"}],
                "condition": "lost_address is not null",
                "shows": {"address": "coalesce(lost_address, 'not known to be lost')"},
            }
        )
    }}
{% endmacro %}

{#
    SQL that limits the answers of address services to some services and an age, to follow a condition.

    Arguments:
        macro (string): The macro's name, for messages.
        services (list[string]): The services; an empty list for all.
        max_age_days (optional[int]): The greatest age at the slot.
#}
{% macro answers_that_count(macro, services, max_age_days) %}
    {% if services is string or services is not sequence or services is mapping %}
        {{ exceptions.raise_compiler_error(macro ~ "(): services takes a list of names, not `" ~ services ~ "`") }}
    {% endif %}
    {% set conditions = [] %}
    {% if services %}
        {% set names = [] %}
        {% for service in services %} {% do names.append(dmail.sql_text(service)) %} {% endfor %}
        {% do conditions.append("and entry in (" ~ names | join(", ") ~ ")") %}
    {% endif %}
    {% if max_age_days is not none %}
        {% do dmail.number_between(macro, "max_age_days", max_age_days, 0, 100000) %}
        {% do conditions.append("and answered_at >= " ~ dmail.slot() ~ " - interval " ~ max_age_days ~ " day") %}
    {% endif %}
    {{ return(conditions | join(" ")) }}
{% endmacro %}
