{#
    The run that the runner sends again, from DMAIL_ORIGINAL: {file, run}, where `file` has its contacts. Empty without the runner, and
    for runs that are no copy. A copy is sent to the people of the original, and to nobody else. Only rules about the person apply to
    them: rules that count contacts, compare people with each other or draw lots have decided when the original was made.
#}
{% macro original() %} {{ return(fromjson(env_var("DMAIL_ORIGINAL", "{}")) if execute else {}) }} {% endmacro %}

{#
    SQL that is true for the people of the original.

    Arguments:
        original (dict[string, any]): What `original()` returns.
#}
{% macro in_original(original) -%}
    {%- set contacts = dmail.read_files("'" ~ original.file.replace("'", "''") ~ "'") -%}
    profile_id in (
        select profile_id
        from {{ contacts }} as contacts
        where
            cell in ('mailed', 'recalled')
            {% if original.run %} and run_id = {{ dmail.sql_text(original.run) }} {% endif %}
    )
{%- endmacro %}
