{#
    What an extract selects from: the audience's row of everybody who is included, and the seed addresses, each with
        is_seed   true for a seed: an address of ours that shows us what arrives; it counts in no figure and in no contact history
        piece_id  the piece's name, the same whenever the slot is built; by it returns and responses are matched back

    Arguments: relations
        audience, recipients
        seeds  such as ref('int_seed_addresses'); none: no seeds
#}
{% macro pieces(audience, recipients, seeds=none) %}
    {% set included %}
        select targeted.*, false as is_seed, {{ dmail.piece_id(profile_id="targeted.profile_id") }} as piece_id
        from {{ audience }} as targeted
        inner join (select profile_id from {{ recipients }} where exclusion_reason is null) as included
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
