{#
    ISO 3166-1 alpha-2 in upper case, from the codes that databases contain: `us`, `UK` for Britain, `EL` for Greece, and alpha-3
    codes of the countries that most letters go to. Anything else is returned in upper case. No country has such a code.

    Arguments:
        column (column): The source's code.
#}
{% macro country_code(column) -%}
    {% set codes = {
        "ARE": "AE",
        "ARG": "AR",
        "AUS": "AU",
        "AUT": "AT",
        "BEL": "BE",
        "BRA": "BR",
        "CAN": "CA",
        "CHE": "CH",
        "CHN": "CN",
        "CZE": "CZ",
        "DEU": "DE",
        "DNK": "DK",
        "ESP": "ES",
        "FIN": "FI",
        "FRA": "FR",
        "GBR": "GB",
        "GRC": "GR",
        "HKG": "HK",
        "IND": "IN",
        "IRL": "IE",
        "ITA": "IT",
        "JPN": "JP",
        "KOR": "KR",
        "LUX": "LU",
        "MEX": "MX",
        "NLD": "NL",
        "NOR": "NO",
        "NZL": "NZ",
        "POL": "PL",
        "PRT": "PT",
        "SGP": "SG",
        "SVK": "SK",
        "SWE": "SE",
        "TUR": "TR",
        "USA": "US",
        "ZAF": "ZA",
    } %}
    case
        when length({{ column }}) = 2
        then case upper({{ column }}) when 'UK' then 'GB' when 'EL' then 'GR' else upper({{ column }}) end
        else
            case
                upper({{ column }})
                {% for alpha3, alpha2 in codes.items() %} when '{{ alpha3 }}' then '{{ alpha2 }}' {% endfor %}
                else upper({{ column }})
            end
    end
{%- endmacro %}
