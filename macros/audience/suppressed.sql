{#
    Excludes profiles on a suppression list, by `profile_id` or by name and address. The build fails if a list is missing, empty or
    too old. People whom `dmail-runner forget` has erased are always excluded.

    Arguments:
        lists (list[string]): The names of the lists in the model with the role `suppressions`.
        max_age_days (int): The greatest age of each list at the slot: the days since the newest `as_of` of its entries.
        reason (string): The exclusion reason, which tells one list from another.
#}
{% macro suppressed(lists, max_age_days=35, reason="suppressed") %}
    {% if lists is string or lists is not sequence or not lists %}
        {{ exceptions.raise_compiler_error("suppressed(): lists takes a list of names, not `" ~ lists ~ "`") }}
    {% endif %}
    {% do dmail.number_between("suppressed", "max_age_days", max_age_days, 0, 100000) %}
    {% set suppressions = dmail.role_model("suppressions") %}
    {% set wanted %}
        ({% for list in lists %} {{ dmail.sql_text(list) }}{{ "," if not loop.last }} {% endfor %})
    {% endset %}
    {% set valid %}
        (list_name in {{ wanted }} or list_name = 'forgotten')
        and coalesce(valid_from <= {{ dmail.as_of() }}, true)
        and coalesce(valid_until > {{ dmail.slot() }}, true)
    {% endset %}
    {% set too_old = "'the suppression list ' || wanted || ' is older than " ~ max_age_days ~ " days'" %}
    {% set current %}
        select
            max(
                case
                    when newest is null
                    then {{ dmail.fail("'the suppression list ' || wanted || ' is missing or empty'") }}
                    when newest < {{ dmail.slot() }} - interval {{ max_age_days }} day
                    then {{ dmail.fail(too_old) }}
                    else 'current'
                end
            ) as lists_are
        from
            (
                select wanted, max(as_of) as newest
                from
                    (
                        {% for list in lists %}
                            select {{ dmail.sql_text(list) }} as wanted {{ "union all" if not loop.last }}
                        {% endfor %}
                    ) as names
                left join {{ suppressions }} as entries on names.wanted = entries.list_name
                group by wanted
            ) as ages
    {% endset %}
    {% set by_profile %}
        select profile_id as listed_profile_id, min(list_name) as list_of_profile
        from {{ suppressions }}
        where profile_id is not null and {{ valid }}
        group by profile_id
    {% endset %}
    {% set by_person %}
        select person_key as listed_person_key, min(list_name) as list_of_person
        from {{ suppressions }}
        where person_key is not null and {{ valid }}
        group by person_key
    {% endset %}
    {{
        return(
            {
                "reason": reason,
                "joins": [
                    {"query": current, "on": "true"},
                    {"query": by_profile, "on": "profile_id = listed_profile_id"},
                    {"query": by_person, "on": "person_key = listed_person_key"},
                ],
                "condition": "(lists_are is null or list_of_profile is not null or list_of_person is not null)",
                "shows": {"list": "coalesce(list_of_profile, list_of_person, 'none')"},
            }
        )
    }}
{% endmacro %}
