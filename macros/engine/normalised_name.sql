{#- A company name for comparison: lower case, without accents and punctuation. "ACME, Inc." and
    "Acmé Inc" are equal; "Acme Ltd" is another company. Null when nothing remains, and when a person
    was erased from the name: otherwise all such names would be equal. -#}
{% macro normalised_name(name) -%}
    {{ return(adapter.dispatch('normalised_name')(name)) }}
{%- endmacro %}

{% macro duckdb__normalised_name(name) -%}
    case
        when {{ name }} not like '%[erased]%'
            then nullif(
                trim(regexp_replace(lower(strip_accents({{ name }})), '[^\p{L}\p{N}]+', ' ', 'g')),
                ''
            )
    end
{%- endmacro %}
