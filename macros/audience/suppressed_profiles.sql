{#
    The profiles on the suppression lists: a query with one row for each profile and entry that match. The model with the role
    `suppressed_profiles` is this query, and the runner's last gate reads that model: nobody in it is mailed, independently of a
    campaign's rules.

        profile_id   the profile
        list_name    the list
        matched_by   `profile_id`, `person`, `household` or `address`
        matched_key  the key of the entry that matches

    Entries match as in `suppressed()`: by `profile_id`, and by every key of `list_keys()`. The keys of the profiles are computed
    here, or are those of a model that is `keyed_addresses()` of the profiles alone, so that no campaign can change them.

    Arguments:
        profiles (relation): The model with the role `profiles`.
        keyed (optional[relation]): The model that is `keyed_addresses()` of them.
#}
{% macro suppressed_profiles(profiles, keyed=none) %}
    {% set keys = dmail.list_keys() %}
    {% set moment = dmail.as_of() %}
    with
        entries as (
            select list_name, profile_id, {{ keys | join(", ") }}
            from {{ dmail.role_model("suppressions") }}
            where coalesce(valid_from <= {{ moment }}, true) and coalesce(valid_until > {{ moment }}, true)
        ),

        {% if keyed %} people as (select profile_id, {{ keys | join(", ") }} from {{ keyed }}),
        {% else %} located as ({{ dmail.located_people(profiles) }}), people as ({{ dmail.match_keys("located") }}),
        {% endif %}

        -- Few people are on a list. Only their rows are joined, key by key.
        listed as (
            select profile_id, {{ keys | join(", ") }}
            from people
            where
                {% for key in keys %}
                    {{ key }} in (select {{ key }} from entries where {{ key }} is not null) {{ "or" if not loop.last }}
                {% endfor %}
        ),

        final as (
            select
                mailable.profile_id, entries.list_name, 'profile_id' as matched_by, mailable.profile_id as matched_key
            from entries
            inner join {{ profiles }} as mailable on entries.profile_id = mailable.profile_id
            {% for key in keys %}
                union all
                select
                    listed.profile_id,
                    entries.list_name,
                    '{{ key[:-4] }}' as matched_by,
                    entries.{{ key }} as matched_key
                from entries
                inner join listed on entries.{{ key }} = listed.{{ key }}
            {% endfor %}
        )

    select distinct *
    from final
{% endmacro %}

{#
    The keys by which entries of suppression lists match: a list of columns. Every model with the role `suppressions` has `person_key`.
    With `household_key` or `address_key` among the columns of its contract, its entries match households or addresses, too.
#}
{% macro list_keys() %}
    {% set keys = ["person_key"] %}
    {% for node in graph.get("nodes", {}).values() %}
        {% set declared = node.config.get("meta", {}).get("direct_mail") %}
        {% if declared is mapping and declared.role == "suppressions" %}
            {% for key in ["household_key", "address_key"] if key in node.columns %}
                {% do keys.append(key) %}
            {% endfor %}
        {% endif %}
    {% endfor %}
    {{ return(keys) }}
{% endmacro %}
