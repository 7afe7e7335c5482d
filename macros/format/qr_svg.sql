{#
    A QR code as an SVG picture in one line, for providers that print pictures and cannot draw one from a text. Some 3 ms a piece: for
    larger files, ask the provider to draw the code from the column with the text. Name the column `purl_qr`: it differs in each slot.

    It needs the extra `qr`, and what `purl()` needs: docs/howto/links.md.

    Arguments:
        column (column): The text of the code, such as `purl`.
#}
{% macro qr_svg(column) -%} {{ adapter.dispatch("qr_svg", "dmail")(column) }} {%- endmacro %}

{% macro duckdb__qr_svg(column) -%} dmail_qr_svg({{ column }}) {%- endmacro %}

{% macro default__qr_svg(column) -%}
    {% if execute %}
        {{ exceptions.raise_compiler_error("qr_svg(): QR codes are drawn on DuckDB only: docs/engines.md") }}
    {% endif %}
    cast(null as string)
{%- endmacro %}
