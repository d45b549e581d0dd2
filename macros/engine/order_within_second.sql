{#- The ids of one entity's records of one second, as a list in the order in which they happened. An
    aggregate: group by the entity and the second.

    Vendors' clocks have whole seconds, so within one second only the records themselves show their order.
    Each has an outcome, and some also have previous values. The list is built step by step. The next record is
        1. the one that the fewest of the other remaining records precede. A precedes B when B's previous
           values agree with A's outcome better than A's previous values agree with B's outcome;
        2. among equals, the one that agrees best with the outcome of the record placed last, or at the start
           with the state before the second;
        3. among equals, the first by fallback number.

    Evidence between two records of the second outranks the state before it, which is wrong when a record was
    lost.

    The rows to aggregate are pairs: every record with every other one, and with '' for the state before the
    second. Join only seconds with 2 to 50 records: one record needs no order, and the time grows with about
    the fourth power of the count (80 records take seconds, 320 half an hour). Longer ones keep the fallback
    order.

    Arguments:
        record_id: the later record of the pair.
        other_id: the earlier record; '' for the state before the second.
        agreement: how well the later record's previous values agree with the earlier one's outcome. 0 when
            either is unknown, below 0 for a contradiction.
        reverse_agreement: the same with the two exchanged.
        fallback_number: order of the records without evidence.
-#}
{% macro order_within_second(
    record_id, other_id, agreement, reverse_agreement, fallback_number
) -%}
    {{ return(adapter.dispatch('order_within_second')(
        record_id, other_id, agreement, reverse_agreement, fallback_number
    )) }}
{%- endmacro %}

{#- In DuckDB 1.5 a lambda of `list_reduce` that reads an outer column may read another row's value, so the
    walk carries the pairs. Its lambda has an arrow because sqlfluff cannot parse `lambda` with two parameters. -#}
{% macro duckdb__order_within_second(
    record_id, other_id, agreement, reverse_agreement, fallback_number
) -%}
    list_transform(
        [list(struct_pack(
            id := {{ record_id }},
            other_id := {{ other_id }},
            agreement := {{ agreement }},
            is_preceded := {{ other_id }} != '' and {{ agreement }} > {{ reverse_agreement }},
            fallback_number := {{ fallback_number }}
        ))],
        lambda pairs: list_reduce(
            list_transform(
                list_filter(pairs, lambda pair: pair.other_id = ''),
                lambda pair: struct_pack(placed_ids := [pair.id], pairs := pairs[1:0])
            ),
            (walk, step) -> struct_pack(
                placed_ids := list_append(walk.placed_ids, list_min(list_transform(
                    list_filter(
                        walk.pairs,
                        lambda pair: pair.other_id = walk.placed_ids[-1]
                        and not list_contains(walk.placed_ids, pair.id)
                    ),
                    lambda pair: struct_pack(
                        predecessor_count := len(list_filter(
                            walk.pairs,
                            lambda other: other.id = pair.id
                            and other.is_preceded
                            and not list_contains(walk.placed_ids, other.other_id)
                        )),
                        disagreement := -pair.agreement,
                        fallback_number := pair.fallback_number,
                        id := pair.id
                    )
                )).id),
                pairs := walk.pairs
            ),
            struct_pack(placed_ids := [''], pairs := pairs)
        ).placed_ids[2:]
    )[1]
{%- endmacro %}

{% macro spark__order_within_second(
    record_id, other_id, agreement, reverse_agreement, fallback_number
) -%}
    transform(
        array(array_agg(named_struct(
            'id', {{ record_id }},
            'other_id', {{ other_id }},
            'agreement', {{ agreement }},
            'is_preceded', {{ other_id }} != '' and {{ agreement }} > {{ reverse_agreement }},
            'fallback_number', {{ fallback_number }}
        ))),
        pairs -> aggregate(
            filter(pairs, pair -> pair.other_id = ''),
            array(''),
            (placed_ids, step) -> concat(placed_ids, array(array_min(transform(
                filter(
                    pairs,
                    pair -> pair.other_id = element_at(placed_ids, -1)
                    and not array_contains(placed_ids, pair.id)
                ),
                pair -> named_struct(
                    'predecessor_count', array_size(filter(
                        pairs,
                        other -> other.id = pair.id
                        and other.is_preceded
                        and not array_contains(placed_ids, other.other_id)
                    )),
                    'disagreement', -pair.agreement,
                    'fallback_number', pair.fallback_number,
                    'id', pair.id
                )
            )).id)),
            placed_ids -> slice(placed_ids, 2, array_size(placed_ids))
        )
    )[0]
{%- endmacro %}
