-- Proves that rounded_product and prorate are exact to the sixth decimal and round half away from
-- zero. The macros start from a double, so a test of round numbers would miss a wrong last digit of
-- a large amount and a half that is rounded down.
{%- set calculations = [
    ['product, half up', rounded_product("cast(0.01 as decimal(28, 6))", '0.00005'), '0.000001'],
    ['product, half down', rounded_product("cast(-0.01 as decimal(28, 6))", '0.00005'), '-0.000001'],
    ['product, below half', rounded_product("cast(0.01 as decimal(28, 6))", '0.0000499999'), '0'],
    ['product of 0', rounded_product("cast(0 as decimal(28, 6))", '1.1'), '0'],
    [
        'large product',
        rounded_product(
            "cast(-987654321987.65 as decimal(28, 6))", "cast(3.2623070715 as decimal(20, 10))"
        ),
        '-3222031678817.848531'
    ],
    [
        'product with a half',
        rounded_product("cast(123456789012.345675 as decimal(28, 6))", "cast(0.1 as decimal(20, 10))"),
        '12345678901.234568'
    ],
    ['share, half up', prorate("cast(0.000001 as decimal(28, 6))", '1', '2'), '0.000001'],
    ['share, half down', prorate("cast(-0.000001 as decimal(28, 6))", '1', '2'), '-0.000001'],
    ['share, below half', prorate("cast(0.000001 as decimal(28, 6))", '182', '365'), '0'],
    ['whole', prorate("cast(-987654321987.654321 as decimal(28, 6))", '31', '31'), '-987654321987.654321'],
    [
        'large share',
        prorate("cast(987654321987.654321 as decimal(28, 6))", '59', '365'),
        '159648232869.237274'
    ],
] %}
with

results as (

    {% for calculation, expression, stated in calculations -%}
    select
        '{{ calculation }}' as calculation,
        {{ expression }} as computed_amount,
        cast({{ stated }} as decimal(28, 6)) as stated_amount
    {%- if not loop.last %}
    union all
    {% endif -%}
    {%- endfor %}

)

select
    calculation,
    computed_amount,
    stated_amount
from results
where computed_amount is distinct from stated_amount
