{#-
    The protocol of the incremental models: the product models from raw messages to daily activity, and
    the staging models of Stripe's events, subscriptions and invoices.

    Columns
        `_loaded_at`: when the load that brought the row landed. No two loads share an instant, and a
            batch that is replaced lands again at a new one. So a list of instants says which loads a
            table has.
        `_built_at`: when the dbt run that wrote the row began. A row made of several others carries
            the newest of theirs. No figure depends on it.
        `_digest`: a digest of everything in the row that its readers depend on.

    What a run finds
        `stg_segment__messages`: loads that raw has and the table lacks, and the reverse
            (`loads_only_in`). It selects again among the deliveries of every message in either.
        `stg_stripe__…_events`: the same for events (`is_in_changed_loads`).
        `stg_stripe__subscription_extracts`: the same for subscriptions of an extract.
        `stg_stripe__invoices`: invoices whose latest raw row is not the one that the table has.
        `stg_stripe__invoice_events`: events of new loads. It reads all events again when a load, or an
            extract that a row relies on, is gone.
        `int_identity_signals`: messages written since those it has counted (`counted_until`).
        `int_event_names_resolved`, `int_message_identities`: everything, because both are small.
        `fct_events`: loads that were added or removed, and messages whose name or identity was
            rewritten since its newest row.
        `fct_sessions`, `fct_user_activity_daily`: the people whose number of events, or newest
            `_built_at`, differs from the upstream table's (CTE `people_touched`).
        `dim_documents`, `fct_document_funnel`: documents with an event, or a row upstream, that is newer
            than their own row; `dim_documents` also compares the number of events.
        `int_messages_counted`: days of a load whose number of messages, or newest `_built_at`, differs.

    What a run writes
        The rows of the keys that it processed, by dbt's `delete+insert`. Unchanged rows are not written:
        the models down to `fct_events` and those by document filter them out themselves, and the models
        by person and `int_messages_counted` use the strategy `changed_rows` below. Replacing rows all over a table makes DuckDB
        rewrite the whole table at its next checkpoint.

    What a run deletes
        Rows of removed loads, in a post-hook, after the model has read them. Rows of people and documents
        without events, in a pre-hook. All other obsolete rows belong to a key that is written again.

    Interrupted runs and full refresh
        The rows are the only record of progress, so nothing is lost when a run is interrupted: the
        next run finds the same differences. A full refresh reads everything and gives the same rows,
        except for `_built_at` (tests/python/test_late_events.py and test_invoice_webhooks.py). It is needed after editing one of these
        models; `python -m ingest build` adds it.
-#}

{#- When this run of dbt began, UTC. -#}
{% macro built_at() -%}
    cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S.%f") }}' as timestamp)
{%- endmacro %}

{#-
    The loads of which one relation has rows and another has none, as a query for `in (…)`. It returns
    them from a list, so that the engine expects few of them and skips the row groups of other loads.

    Arguments:
        relation: a relation with `_loaded_at`.
        other: the one to compare it with.
-#}
{% macro loads_only_in(relation, other) -%}
    select {{ explode('loads.instants') }} as _loaded_at
    from (
        select array_agg(only_here._loaded_at) as instants
        from (
            select distinct _loaded_at from {{ relation }}
            except
            select distinct _loaded_at from {{ other }}
        ) as only_here
    ) as loads
{%- endmacro %}

{#-
    Whether a run reads a raw row whose record is staged once, by its first delivery: every delivery of
    the records in loads that were added or removed. A first run and a full refresh read every row.

    Arguments:
        raw: a raw relation with `id` and `_loaded_at`.
        condition: which of its rows the model stages.
        key: the column of this model that holds the id.
-#}
{% macro is_in_changed_loads(raw, condition, key) -%}
    {%- if is_incremental() -%}
    id in (
        select id from {{ raw }} where {{ condition }} and _loaded_at in ({{ loads_only_in(raw, this) }})
        union all
        select {{ key }} from {{ this }} where _loaded_at in ({{ loads_only_in(this, raw) }})
    )
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}

{#-
    The newest run whose rows of another relation this model has counted. If a counted row was deleted,
    the result is the beginning of time, so that everything is counted again.

    Arguments:
        upstream: a relation with `_built_at`. This model keeps the newest of each row's messages, and
            their number in `message_count`.
-#}
{% macro counted_until(upstream) -%}
    (
        select coalesce(max(counted._built_at), cast('0001-01-01' as timestamp))
        from (
            select max(_built_at) as _built_at
            from {{ this }}
            having
                sum(message_count) = (
                    select count(*)
                    from {{ upstream }}
                    where _built_at <= (select max(_built_at) from {{ this }})
                )
        ) as counted
    )
{%- endmacro %}

{#-
    The incremental strategy `changed_rows`: for every value of `unique_key`, one column, in the
    model's result, the table ends with exactly the result's rows, as after `delete+insert`. Rows that
    are equal already are not touched. Rows are compared by a digest of all columns.
-#}
{% macro get_incremental_changed_rows_sql(arguments) -%}
    {%- set table, result = arguments['target_relation'], arguments['temp_relation'] -%}
    {%- set key = arguments['unique_key'] -%}
    {%- set columns = arguments['dest_columns'] | map(attribute='quoted') | list -%}

    delete from {{ table }}
    where
        {{ key }} in (select {{ key }} from {{ result }})
        and {{ row_digest(columns) }} not in (select {{ row_digest(columns) }} from {{ result }});

    insert into {{ table }} ({{ columns | join(', ') }})
    select {{ columns | join(', ') }}
    from {{ result }}
    where
        {{ row_digest(columns) }} not in (
            select {{ row_digest(columns) }}
            from {{ table }}
            where {{ key }} in (select {{ key }} from {{ result }})
        )
{%- endmacro %}
