{#
    The id of one piece of a mailing, which is printed on it and comes back with it: the first digits of a hash of campaign, slot and
    profile, in capitals (0-9, A-F). The same slot gives the same ids. The id is not a secret: whoever can guess a profile's id can
    compute it. It is null without a profile.

    Two profiles of one mailing can have the same id: with a million pieces and 12 characters once in 500 mailings, with 16 characters
    practically never. Declare the column unique, and the build fails.

    Arguments:
        length (int): The number of characters, 8 to 32.
        profile_id (column): The profile.
        campaign (optional[string]): The campaign's name. By default, the campaign of the model.
#}
{% macro piece_id(length=12, profile_id="profile_id", campaign=none) -%}
    {% if length is not integer or length < 8 or length > 32 %}
        {{ exceptions.raise_compiler_error("piece_id(): `length` accepts 8 to 32, not `" ~ length ~ "`") }}
    {% endif %}
    upper(substr(md5({{ dmail.piece_text(profile_id, campaign) }}), 1, {{ length }}))
{%- endmacro %}

{#
    The text that identifies a piece: its campaign, slot and profile.

    Arguments:
        profile_id (column): The profile.
        campaign (optional[string]): The campaign's name. By default, the campaign of the model.
#}
{% macro piece_text(profile_id="profile_id", campaign=none) -%}
    {# Within a unit test `model` is the test: its ids must be those of the model that it tests. #}
    {% set tested = model.get("tested_node_unique_id") or model.unique_id %}
    {% set name = campaign or tested.split(".")[2].split("__")[0] %}
    {% set moment = dmail.slot() | string | trim | replace("timestamp ", "") %}
    {{ dmail.sql_text(name) }} || '|' || {{ moment }} || '|' || {{ dmail.blank_to_null(profile_id) }}
{%- endmacro %}
