{#
    Returned mail as entries of the suppression list `returned_mail`, one row each: the model `int_returned_mail`. The model with the role
    `suppressions` adds them to its own entries. `suppressed()` always excludes the people on this list.
#}
{% macro returned_mail() %} {{ return(ref("dmail", "int_returned_mail")) }} {% endmacro %}

{#
    The pieces of the contact history, each with `match_id`, by which the answers of mail houses are matched: the extract's `piece_id` in
    capitals. Contacts of earlier versions of the runner have none: theirs is what `piece_id()` prints by default.
#}
{% macro mailed_pieces() %}
    select
        *,
        upper(
            coalesce(piece_id, substr(md5(campaign || '|' || cast(slot as string) || '|' || profile_id), 1, 12))
        ) as match_id
    from {{ dmail.role_model("contact_history") }}
    where cell in ('mailed', 'recalled')
{% endmacro %}
