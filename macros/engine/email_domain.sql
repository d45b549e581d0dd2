{#- The domain of an e-mail address in lower case; null for text that is not an address. Accepts
    letters of any alphabet, a percent-encoded address, and a name around the address, as in
    `Ann <ann@example.com>`. -#}
{% macro email_domain(email) -%}
    {{ return(adapter.dispatch('email_domain')(email)) }}
{%- endmacro %}

{% macro duckdb__email_domain(email) -%}
    nullif(
        regexp_extract(
            nfc_normalize(lower(trim(coalesce(try(url_decode({{ email }})), {{ email }})))),
            '@([\p{L}\p{M}\p{N}.-]+[.][\p{L}\p{M}\p{N}-]+)[.>]*$',
            1
        ),
        ''
    )
{%- endmacro %}

{#- Spark cannot compose characters. -#}
{% macro spark__email_domain(email) -%}
    nullif(
        regexp_extract(
            lower(trim(coalesce(try_url_decode({{ email }}), {{ email }}))),
            r'@([\p{L}\p{M}\p{N}.-]+[.][\p{L}\p{M}\p{N}-]+)[.>]*$',
            1
        ),
        ''
    )
{%- endmacro %}
