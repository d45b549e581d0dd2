{#-
    What tables on Spark are made of: `var('lake_format')`. Rows of Delta and Iceberg tables can be changed, so
    incremental models merge. Plain Parquet files cannot, so those models are rebuilt as a whole.
-#}

{#- dbt-spark reads these from each model's config; here they are the same for all. -#}
{% macro dbt_spark_validate_get_file_format(raw_file_format) -%}
    {{ return(var('lake_format')) }}
{%- endmacro %}

{% macro dbt_spark_validate_get_incremental_strategy(raw_strategy, file_format) -%}
    {%- if not can_change_rows() -%}
        {{ return('append') }}
    {%- endif -%}
    {{ return(raw_strategy if raw_strategy == 'changed_rows' else 'merge') }}
{%- endmacro %}

{% macro spark__file_format_clause() -%}
    using {{ var('lake_format') }}
{%- endmacro %}

{#- `merge` by a key that each row has for itself. The key of `changed_rows` has several rows, which cannot be
    paired: those of the table are deleted and the result is inserted. A run that is interrupted in between
    leaves keys without rows, and the next run finds them as it finds any other difference. -#}
{% macro dbt_spark_get_incremental_sql(
    strategy, source, target, existing, unique_key, incremental_predicates
) -%}
    {%- if strategy == 'changed_rows' -%}
        {%- call statement('delete_rows') -%}
            {{ spark__delete_by_key_sql(source, target, unique_key) }}
        {%- endcall -%}
        {{ return(get_insert_into_sql(source, target)) }}
    {%- endif -%}
    {{ return(get_merge_sql(target, source, unique_key, none, incremental_predicates)) }}
{%- endmacro %}

{% macro spark__delete_by_key_sql(source, target, key) -%}
    merge into {{ target }} as old_rows
    using (select distinct {{ key }} from {{ source }}) as new_keys
    on old_rows.{{ key }} = new_keys.{{ key }}
    when matched then delete
{%- endmacro %}

{#- A snapshot records history where rows can be changed. On Parquet it keeps the history that the lake has from
    DuckDB, or else the state of its first run. -#}
{% materialization snapshot, adapter='spark' %}
    {%- if can_change_rows() -%}
        {{ return(dbt_spark.materialization_snapshot_spark()) }}
    {%- endif -%}
    {%- set target = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- if load_relation(this) is none -%}
        {%- set strategy = strategy_dispatch(config.get('strategy'))(
            model, 'snapshotted_data', 'source_data', model['config'], false
        ) -%}
        {%- call statement('main') -%}
            {{ create_table_as(false, target, build_snapshot_table(strategy, model['compiled_code'])) }}
        {%- endcall -%}
    {%- else -%}
        {%- call statement('main') -%}
            select 1 as is_kept
        {%- endcall -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
