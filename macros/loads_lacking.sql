{#- The instants at which those loads landed that one relation has rows of and another has not, as SQL
    literals for `in (…)`. Asked before the model runs: written out, they let the engine skip all
    that landed at other times, which no join does.

    Arguments:
        here: a relation with `_loaded_at`, which no two loads have in common.
        there: the one to compare with.
-#}
{% macro loads_lacking(here, there) -%}
    {%- set instants = [] -%}
    {%- if execute -%}
        {%- set lacking -%}
            select cast(_loaded_at as string)
            from (
                select distinct _loaded_at from {{ here }}
                except
                select distinct _loaded_at from {{ there }}
            ) as loads
        {%- endset -%}
        {%- set instants = run_query(lacking).columns[0].values() -%}
    {%- endif -%}
    {%- for instant in instants -%}
        cast('{{ instant }}' as timestamp){{ ', ' if not loop.last }}
    {%- else -%}
        cast(null as timestamp)
    {%- endfor -%}
{%- endmacro %}
