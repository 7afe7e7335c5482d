{#
    The id of one piece of one mailing, printed on it and returned with it: the first digits of a hash of campaign, slot and
    profile, in capitals (0-9, A-F). The same slot gives the same ids. It is a name, not a secret: who can guess a profile's id
    can find its piece. Null without a profile.

    Two profiles may meet in one id: at a million pieces, once in 500 mailings with 12 characters, never to speak of with 16.
    Declare the column `unique`, and the build tells.

    Arguments:
        length      8 to 32
        profile_id  column expression
        campaign    the campaign's name; the model's own where none is given
#}
{% macro piece_id(length=12, profile_id="profile_id", campaign=none) -%}
    {% if length is not integer or length < 8 or length > 32 %}
        {{ exceptions.raise_compiler_error("piece_id(): `length` accepts 8 to 32, not `" ~ length ~ "`") }}
    {% endif %}
    {# Within a unit test `model` is the test: its ids must be those of the model that it tests. #}
    {% set tested = model.get("tested_node_unique_id") or model.unique_id %}
    {% set name = campaign or tested.split(".")[2].split("__")[0] %}
    {% set moment = dmail.slot() | string | trim | replace("timestamp ", "") %}
    upper(
        substr(
            md5({{ dmail.sql_text(name) }} || '|' || {{ moment }} || '|' || {{ dmail.blank_to_null(profile_id) }}), 1, {{ length }}
        )
    )
{%- endmacro %}
