{#
    The rows that an extract selects from: the audience's rows of all included profiles, and the seed addresses. It adds two columns:

        is_seed   true for a seed address of the sender, which shows what arrives. Seeds are in no figure and in no contact history.
        piece_id  identifies the piece, whenever the slot is built. Returns and responses are matched by it.

    Arguments:
        audience (relation): The campaign's audience.
        recipients (relation): The campaign's recipients.
        seeds (optional[relation]): The seed addresses, such as ref('int_seed_addresses'). By default, there are none.
        treatment (bool): Whether the rows have the column `treatment`, the cell of `treatments()`. It is null for seed addresses.
#}
{% macro pieces(audience, recipients, seeds=none, treatment=false) %}
    {% do dmail.one_of("pieces", "treatment", treatment, [true, false]) %}
    {% set included %}
        select
            targeted.*,
            {% if treatment %} included.treatment, {% endif %}
            false as is_seed,
            {{ dmail.piece_id(profile_id="targeted.profile_id") }} as piece_id
        from {{ audience }} as targeted
        inner join (select profile_id {{ ", treatment" if treatment }} from {{ recipients }} where exclusion_reason is null) as included
            on targeted.profile_id = included.profile_id
    {% endset %}
    {% if seeds %}
        {% set planted %}
            select *, true as is_seed, {{ dmail.piece_id() }} as piece_id
            from {{ seeds }}
            where coalesce(campaign, '{{ dmail.campaign_name() }}') = '{{ dmail.campaign_name() }}'
        {% endset %}
        {{ dmail.union_by_name(included, planted) }}
    {% else %} {{ included }}
    {% endif %}
{% endmacro %}
