{#
    ISO 3166-1 alpha-2 in upper case, of the spellings that databases have: `us`, `UK` for Britain, `EL` for Greece, and the
    alpha-3 codes of the countries that most letters go to. Anything else is given back in upper case, and no country has it.
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
