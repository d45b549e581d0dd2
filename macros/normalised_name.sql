{#-
    A company's name as it compares: lower case, without accents, punctuation and the legal form at
    its end, so that "ACME, Inc." and "Acmé Inc" are one. Null when nothing is left.
-#}
{% macro normalised_name(name) -%}
    nullif(
        trim(
            regexp_replace(
                regexp_replace(
                    lower(strip_accents({{ name }})),
                    '[^\p{L}\p{N}]+',
                    ' ',
                    'g'
                ),
                ' (inc|incorporated|corp|corporation|co|company|llc|llp|ltd|limited|plc|gmbh|ag|kg|sa|sas'
                || '|sarl|srl|spa|bv|nv|ab|as|oy|pty ltd|pty|kk|kabushiki kaisha) *$',
                ''
            )
        ),
        ''
    )
{%- endmacro %}
