{#
    The personal address of a piece: a base, and a token that nobody can guess. A visit of the address, received as a response, is credited
    to the piece: docs/howto/links.md. The column must be named `purl`, because the contact history keeps a hash of its token.

    The same slot gives the same addresses, and so does a copy of its file. They differ in each slot.

    Arguments:
        base (string): The beginning of the address, up to a / or an =, such as `https://go.example.com/`. Empty: the token alone.
        length (int): The number of characters of the token, 16 to 32. 16 are 64 bits.
        profile_id (column): The profile.
        campaign (optional[string]): The campaign's name. By default, the campaign of the model.
#}
{% macro purl(base, length=20, profile_id="profile_id", campaign=none) -%}
    {% if base is not string or not modules.re.fullmatch("((https|HTTPS)://[!#-&(-;=?-~]*[/=])?", base) %}
        {{
            exceptions.raise_compiler_error(
                "purl(): `base` accepts an https address up to a slash or an equals sign, not `" ~ base ~ "`"
            )
        }}
    {% endif %}
    {% if execute %} {% do dmail.check_purl_columns() %} {% endif %}
    {{ dmail.sql_text(base) }} || {{ dmail.link_token(length, profile_id, campaign) }}
{%- endmacro %}

{#
    Raises a compile error unless the model's contract and the contact history have the columns by which a visit is credited.
#}
{% macro check_purl_columns() %}
    {% if not model.get("tested_node_unique_id") and "purl" not in (model.columns or {}) %}
        {{
            exceptions.raise_compiler_error(
                "purl(): the contract of "
                ~ model.name
                ~ " must list the column `purl`, a string: without it no visit is known"
            )
        }}
    {% elif graph.get("nodes") and not dmail.has_contact_column("purl_hash") %}
        {{
            exceptions.raise_compiler_error(
                "purl(): the model with the role contact_history has no column `purl_hash`, without which no visit is credited: "
                ~ "select and declare it"
            )
        }}
    {% endif %}
{% endmacro %}

{#
    The token of a personal address: the first digits of HMAC-SHA-256 over campaign, slot and profile, in capitals (0-9, A-F). The key is the
    environment variable DMAIL_LINK_KEY, which no compiled SQL has. It is null without a profile. Without a key, nothing is compiled.

    Arguments:
        length (int): The number of characters, 16 to 32.
        profile_id (column): The profile.
        campaign (optional[string]): The campaign's name. By default, the campaign of the model.
#}
{% macro link_token(length=20, profile_id="profile_id", campaign=none) -%}
    {% do dmail.number_between("purl", "length", length, 16, 32) %}
    upper(substr({{ dmail.keyed_digest(dmail.piece_text(profile_id, campaign)) }}, 1, {{ length }}))
{%- endmacro %}

{#
    HMAC-SHA-256 of a text with the key of personal addresses, as hexadecimal digits.

    Arguments:
        text (column): The text.
#}
{% macro keyed_digest(text) -%} {{ adapter.dispatch("keyed_digest", "dmail")(text) }} {%- endmacro %}

{% macro duckdb__keyed_digest(text) -%}
    {% if execute and run_query("select 1 where getvariable('dmail_link_outer') is null").rows %}
        {{
            exceptions.raise_compiler_error(
                "purl(): this session has no key: set DMAIL_LINK_KEY, and name the plugin dmail_runner.project.link_key in profiles.yml"
            )
        }}
    {% endif %}
    sha256(getvariable('dmail_link_outer') || unhex(sha256(getvariable('dmail_link_inner') || encode({{ text }}))))
{%- endmacro %}

{% macro default__keyed_digest(text) -%}
    {% if execute %}
        {{ exceptions.raise_compiler_error("purl(): personal addresses are made on DuckDB only: docs/engines.md") }}
    {% endif %}
    cast(null as string)
{%- endmacro %}

{#
    The hash of the token in a personal address, or of a token alone, by which the contact history knows it. It is null if there is no token.
    What a click tracker adds after the token is ignored. The pseudonym of a forgotten person stays as it is.

    Arguments:
        address (column): The address.
#}
{% macro purl_hash(address) -%}
    {% set token = "(?:^|[/=])([0-9A-Fa-f]{16,32})/?(?:[?#&].*)?$" %}
    case
        when {{ dmail.begins_with(address, "forgotten-") }}
        then {{ address }}
        else {{ dmail.sha256_text("nullif(upper(regexp_extract(" ~ address ~ ", '" ~ token ~ "', 1)), '')") }}
    end
{%- endmacro %}

{#
    The SHA-256 of a text, as hexadecimal digits.

    Arguments:
        text (column): The text.
#}
{% macro sha256_text(text) -%} {{ adapter.dispatch("sha256_text", "dmail")(text) }} {%- endmacro %}

{% macro duckdb__sha256_text(text) -%} sha256({{ text }}) {%- endmacro %}

{% macro spark__sha256_text(text) -%} sha2({{ text }}, 256) {%- endmacro %}

{% macro postgres__sha256_text(text) -%} encode(sha256(convert_to({{ text }}, 'UTF8')), 'hex') {%- endmacro %}
