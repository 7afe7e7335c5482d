{#
    The region of an address as its country's post writes it: the abbreviation in Australia, Brazil, Canada, Italy, Mexico and the
    United States, and the province's name in Spain. It is empty if the post writes none: an Italian or Spanish region that is larger
    than a province becomes the province of the postal code, if that is in one only. It is null if there is no region, and in other
    countries, and for unknown regions, it is the region as it is.

    It reads the columns `country_code`, `region`, `region_key` and `postal_region_keys` within `postal_addresses()`.
#}
{% macro printed_region() -%}
    {% set key %}
        case
            when region_key = '*'
            then case when contains(postal_region_keys, '|') then '' else coalesce(postal_region_keys, '') end
            else region_key
        end
    {% endset %}
    case
        when region is null
        then null
        when country_code = 'ES' and region_key is not null
        then
            case
                {{ key }}
                {% for province, name in dmail.spanish_provinces().items() %}
                    when '{{ province }}' then {{ dmail.sql_text(name) }}
                {% endfor %}
                else {{ key }}
            end
        else coalesce({{ key }}, region)
    end
{%- endmacro %}

{# The names of Spain's provinces by the keys of the seed `regions`: those of libaddressinput's metadata (Google, CC-BY 4.0). #}
{% macro spanish_provinces() %}
    {{
        return(
            {
                "VI": "Álava",
                "AB": "Albacete",
                "A": "Alicante",
                "AL": "Almería",
                "O": "Asturias",
                "AV": "Ávila",
                "BA": "Badajoz",
                "B": "Barcelona",
                "BU": "Burgos",
                "CC": "Cáceres",
                "CA": "Cádiz",
                "S": "Cantabria",
                "CS": "Castellón",
                "CE": "Ceuta",
                "CR": "Ciudad Real",
                "CO": "Córdoba",
                "CU": "Cuenca",
                "GI": "Girona",
                "GR": "Granada",
                "GU": "Guadalajara",
                "SS": "Guipúzcoa",
                "H": "Huelva",
                "HU": "Huesca",
                "PM": "Islas Baleares",
                "J": "Jaén",
                "C": "La Coruña",
                "LO": "La Rioja",
                "GC": "Las Palmas",
                "LE": "León",
                "L": "Lérida",
                "LU": "Lugo",
                "M": "Madrid",
                "MA": "Málaga",
                "ML": "Melilla",
                "MU": "Murcia",
                "NA": "Navarra",
                "OR": "Ourense",
                "P": "Palencia",
                "PO": "Pontevedra",
                "SA": "Salamanca",
                "TF": "Santa Cruz de Tenerife",
                "SG": "Segovia",
                "SE": "Sevilla",
                "SO": "Soria",
                "T": "Tarragona",
                "TE": "Teruel",
                "TO": "Toledo",
                "V": "Valencia",
                "VA": "Valladolid",
                "BI": "Vizcaya",
                "ZA": "Zamora",
                "Z": "Zaragoza",
            }
        )
    }}
{% endmacro %}
