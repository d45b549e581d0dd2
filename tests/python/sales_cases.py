"""Deals made by hand, each with what its docstring works out, in any of Salesforce's dialects."""

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

Value = str | bool | int | float | date | datetime | None
Record = dict[str, Value]
BATCHES = ("2026-02-28", "2026-03-31")
STAGES: dict[str, tuple[int, str]] = {
    "Prospecting": (10, "Pipeline"),
    "Qualification": (10, "Pipeline"),
    "Needs Analysis": (20, "Pipeline"),
    "Proposal": (75, "BestCase"),
    "Negotiation": (90, "Forecast"),
    "Signed": (100, "Closed"),
    "Dropped": (0, "Omitted"),
}
LABELS = {"BestCase": "Best Case", "Forecast": "Commit"}
# Which objects have which of the fields that not every dialect holds.
ONLY_IN = {
    "PrevAmount": ("bulk", "rest"),
    "PrevCloseDate": ("bulk", "rest"),
    "PushCount": ("bulk", "rest"),
    "ValidThroughDate": ("export",),
    "FromOpportunityStageName": ("export",),
}


def at(text: str) -> datetime:
    """`01-05 10:00:00` or `01-05` of 2026."""
    return datetime.fromisoformat(f"2026-{text}")


def sfid(prefix: str, number: int) -> str:
    """An 18-character id."""
    return f"{prefix}Hp{number:010}AAA"


def owner(number: int) -> str:
    return sfid("005", number)


@dataclass
class Deal:
    """One opportunity's rows by object and batch, and its expected stage intervals."""

    number: int
    name: str
    rows: list[tuple[str, str, Record]] = field(default_factory=list)
    intervals: list[tuple[str, datetime, datetime | None]] = field(default_factory=list)

    @property
    def opportunity_id(self) -> str:
        return sfid("006", self.number)

    def save(
        self,
        when: str,
        stage: str,
        amount: float | None = 1000.0,
        close: str = "03-31",
        *,
        order: int | None = None,
        previous: Record | None = None,
        batch: str | None = None,
    ) -> None:
        """A row of OpportunityHistory; `order` numbers its id, which by itself says nothing."""
        saved_at = at(when)
        count = sum(1 for _, kind, _ in self.rows if kind == "OpportunityHistory")
        probability, category = STAGES[stage]
        self.rows.append(
            (
                batch or (BATCHES[0] if saved_at < at("03-01") else BATCHES[1]),
                "OpportunityHistory",
                {
                    "Id": sfid("008", self.number * 100 + (count if order is None else order)),
                    "IsDeleted": False,
                    "OpportunityId": self.opportunity_id,
                    "CreatedDate": saved_at,
                    "StageName": stage,
                    "Amount": amount,
                    "CloseDate": at(close).date(),
                    "Probability": probability,
                    "ForecastCategory": category,
                    **(previous or {}),
                },
            )
        )

    def change(self, when: str, name: str, old: str | None, new: str | None) -> None:
        """A row of OpportunityFieldHistory."""
        changed_at = at(when)
        count = sum(1 for _, kind, _ in self.rows if kind == "OpportunityFieldHistory")
        self.rows.append(
            (
                BATCHES[0] if changed_at < at("03-01") else BATCHES[1],
                "OpportunityFieldHistory",
                {
                    "Id": sfid("017", self.number * 100 + 99 - count),
                    "IsDeleted": False,
                    "OpportunityId": self.opportunity_id,
                    "CreatedDate": changed_at,
                    "Field": name,
                    "OldValue": old,
                    "NewValue": new,
                },
            )
        )

    def record(
        self,
        created: str,
        modified: str,
        stage: str,
        amount: float | None = 1000.0,
        close: str = "03-31",
        **fields: Value,
    ) -> None:
        """The record as a batch held it."""
        probability, category = STAGES[stage]
        self.rows.append(
            (
                BATCHES[0] if at(modified) < at("03-01") else BATCHES[1],
                "Opportunity",
                {
                    "Id": self.opportunity_id,
                    "IsDeleted": False,
                    "AccountId": None,
                    "Name": self.name,
                    "StageName": stage,
                    "Amount": amount,
                    "Probability": probability,
                    "CloseDate": at(close).date(),
                    "IsClosed": stage in ("Signed", "Dropped"),
                    "IsWon": stage == "Signed",
                    "ForecastCategory": category,
                    "ForecastCategoryName": LABELS.get(category, category),
                    "CurrencyIsoCode": "USD",
                    "OwnerId": owner(1),
                    "CreatedDate": at(created),
                    "SystemModstamp": at(modified),
                    "LastStageChangeDate": None,
                    "PushCount": None,
                    **fields,
                },
            )
        )

    def expect(self, *intervals: tuple[str, str, str | None]) -> None:
        self.intervals = [(stage, at(on), at(off) if off else None) for stage, on, off in intervals]


CASES: dict[str, Callable[[Deal], None]] = {}


def case(build: Callable[[Deal], None]) -> Callable[[Deal], None]:
    CASES[build.__name__] = build
    return build


def all_deals() -> dict[str, Deal]:
    deals = {}
    for number, (name, build) in enumerate(CASES.items(), 1):
        deals[name] = Deal(number, name)
        build(deals[name])
    return deals


def _people() -> Iterable[Record]:
    emails = ("stephanie.walker.1@paperdesk.example", "winner@x.example", "gone@x.example")
    for number, email in enumerate(emails, 1):
        yield {
            "Id": owner(number),
            "Username": email,
            "LastName": f"Rep {number}",
            "Name": f"Rep {number}",
            "Email": email,
            "IsActive": number != 3,
            "CreatedDate": at("01-01"),
            "SystemModstamp": at("01-01"),
        }


def text(value: Value, dialect: str, name: str) -> str:
    """A value as the dialect writes it."""
    if value is None:
        is_lookup = name.endswith("Id") and name != "Id"
        return "000000000000000AAA" if dialect == "export" and is_lookup else ""
    if isinstance(value, bool):
        return str(int(value)) if dialect == "export" else str(value).lower()
    if isinstance(value, datetime):
        form = {"bulk": "%Y-%m-%dT%H:%M:%S.000Z", "rest": "%Y-%m-%dT%H:%M:%S.000+0000"}
        return value.strftime(form.get(dialect, "%Y-%m-%d %H:%M:%S"))
    if isinstance(value, date):
        return f"{value} 00:00:00" if dialect == "export" else str(value)
    if isinstance(value, int | float):
        return f"{value:g}" if dialect == "export" else str(float(value))
    return value


def write_files(folder: Path, dialect: str, rows: Mapping[tuple[str, str], list[Record]]) -> None:
    """Writes `<batch>/salesforce/<Object>.csv`."""
    for (batch, name), records in rows.items():
        path = folder / batch / "salesforce" / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        names = list(dict.fromkeys(key for record in records for key in record))
        names = [key for key in names if dialect in ONLY_IN.get(key, (dialect,))]
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
            writer.writerow([key.upper() if dialect == "export" else key for key in names])
            for record in records:
                writer.writerow([text(record.get(key), dialect, key) for key in names])


def write_export(folder: Path, dialect: str) -> dict[str, Deal]:
    """Writes every case as one org's export and returns the cases."""
    deals = all_deals()
    rows: dict[tuple[str, str], list[Record]] = {(BATCHES[0], "User"): list(_people())}
    for deal in deals.values():
        for batch, name, record in deal.rows:
            rows.setdefault((batch, name), []).append(record)
    write_files(folder, dialect, rows)
    return deals


@case
def two_stages_in_one_second(deal: Deal) -> None:
    """Entered without an amount, which follows in the same second; five days later two stages in
    one second, whose ids stand the wrong way round. Only their order in the process decides."""
    deal.save("01-05 10:00:00", "Prospecting", None, order=22)
    deal.save("01-05 10:00:00", "Prospecting", order=21)
    deal.save("01-10 12:00:00", "Needs Analysis", order=23)
    deal.save("01-10 12:00:00", "Qualification", order=24)
    deal.save("01-20 12:00:00", "Proposal")
    deal.record("01-05 10:00:00", "01-20 12:00:00", "Proposal")
    deal.expect(
        ("Prospecting", "01-05 10:00:00", "01-10 12:00:00"),
        ("Qualification", "01-10 12:00:00", "01-10 12:00:00"),
        ("Needs Analysis", "01-10 12:00:00", "01-20 12:00:00"),
        ("Proposal", "01-20 12:00:00", None),
    )


@case
def closed_and_reopened_in_one_second(deal: Deal) -> None:
    """Dropped by mistake and put back at once. It must end as the record says it is."""
    deal.save("01-05 10:00:00", "Negotiation")
    deal.save("01-12 12:00:00", "Negotiation", order=1)
    deal.save("01-12 12:00:00", "Dropped", order=2)
    deal.record("01-05 10:00:00", "01-12 12:00:00", "Negotiation")
    deal.expect(
        ("Negotiation", "01-05 10:00:00", "01-12 12:00:00"),
        ("Dropped", "01-12 12:00:00", "01-12 12:00:00"),
        ("Negotiation", "01-12 12:00:00", None),
    )


@case
def previous_values_show_the_order(deal: Deal) -> None:
    """Three history rows in one second: Prospecting at 900, then Proposal at 800, then
    Qualification at 700. Each has evidence of its previous values."""
    deal.save("01-05 10:00:00", "Needs Analysis", 1000, order=9)
    second = "01-15 12:00:00"
    march = at("03-31").date()
    for order, stage, amount, before, old_amount, until in (
        (3, "Prospecting", 900.0, "Needs Analysis", 1000.0, at(second)),
        (2, "Proposal", 800.0, "Prospecting", 900.0, at(second)),
        (1, "Qualification", 700.0, "Proposal", 800.0, None),
    ):
        previous: Record = {
            "PrevAmount": old_amount,
            "PrevCloseDate": march,
            "FromOpportunityStageName": before,
            "ValidThroughDate": until,
        }
        deal.save(second, stage, amount, order=order, previous=previous)
    deal.record("01-05 10:00:00", "02-20 12:00:00", "Qualification", 700)
    deal.expect(
        ("Needs Analysis", "01-05 10:00:00", second),
        ("Prospecting", second, second),
        ("Proposal", second, second),
        ("Qualification", second, None),
    )


@case
def skips_goes_back_and_is_won(deal: Deal) -> None:
    """Prospecting to Proposal skips two stages; back to Qualification; from there to Signed skips
    three. Its amount changes in between, which is no new stay. Pushed twice: into February, and
    into March; the move within February does not count."""
    deal.save("01-01 09:00:00", "Prospecting", 100, "01-20")
    deal.save("01-08 09:00:00", "Proposal", 100, "02-10")
    deal.save("01-10 09:00:00", "Proposal", 120, "02-25")
    deal.save("01-20 09:00:00", "Qualification", 120, "03-05")
    deal.save("03-05 09:00:00", "Signed", 150, "03-05")
    deal.record("01-01 09:00:00", "01-20 09:00:00", "Qualification", 120, "03-05")
    deal.record("01-01 09:00:00", "03-05 09:00:00", "Signed", 150, "03-05", PushCount=2)
    deal.expect(
        ("Prospecting", "01-01 09:00:00", "01-08 09:00:00"),
        ("Proposal", "01-08 09:00:00", "01-20 09:00:00"),
        ("Qualification", "01-20 09:00:00", "03-05 09:00:00"),
        ("Signed", "03-05 09:00:00", None),
    )


@case
def lost_then_reopened_and_won(deal: Deal) -> None:
    deal.save("01-03 09:00:00", "Negotiation", 500, "02-01")
    deal.save("01-20 09:00:00", "Dropped", 500, "01-20")
    deal.save("02-10 09:00:00", "Negotiation", 500, "03-01")
    deal.save("03-02 09:00:00", "Signed", 600, "03-02")
    deal.record("01-03 09:00:00", "02-10 09:00:00", "Negotiation", 500, "03-01")
    deal.record("01-03 09:00:00", "03-02 09:00:00", "Signed", 600, "03-02", OwnerId=owner(2))
    deal.expect(
        ("Negotiation", "01-03 09:00:00", "01-20 09:00:00"),
        ("Dropped", "01-20 09:00:00", "02-10 09:00:00"),
        ("Negotiation", "02-10 09:00:00", "03-02 09:00:00"),
        ("Signed", "03-02 09:00:00", None),
    )


@case
def no_history_but_the_last_change(deal: Deal) -> None:
    """What came before the last change of the stage is not known, and not made up."""
    changed = at("02-03 09:00:00")
    deal.record("01-04 09:00:00", "02-05 09:00:00", "Proposal", LastStageChangeDate=changed)
    deal.expect(("Proposal", "02-03 09:00:00", None))


@case
def no_history_and_open(deal: Deal) -> None:
    """No history records the change of stage, which only the next extract shows."""
    deal.record("01-04 09:00:00", "02-05 09:00:00", "Qualification")
    deal.record("01-04 09:00:00", "03-07 09:00:00", "Proposal")
    deal.expect(
        ("Qualification", "01-04 09:00:00", "03-07 09:00:00"),
        ("Proposal", "03-07 09:00:00", None),
    )


@case
def no_history_and_won(deal: Deal) -> None:
    """Won on its close date, the only date known; open until then, in an unknown stage."""
    deal.record("01-04 09:00:00", "02-20 09:00:00", "Signed", 300, "02-10")
    deal.expect(("Signed", "02-10 00:00:00", None))


@case
def field_history_alone(deal: Deal) -> None:
    """Ids run backwards and two changes share a second. Amount and owner come from it too."""
    deal.change("01-10 09:00:00", "StageName", "Prospecting", "Qualification")
    deal.change("01-15 09:00:00", "StageName", "Needs Analysis", "Proposal")
    deal.change("01-15 09:00:00", "StageName", "Qualification", "Needs Analysis")
    deal.change("01-12 09:00:00", "Amount", "400.0", "450.0")
    deal.change("02-02 09:00:00", "Owner", "Rep 1", "Rep 2")
    deal.change("02-02 09:00:00", "Owner", owner(1), owner(2))
    deal.record("01-05 09:00:00", "02-02 09:00:00", "Proposal", 450, OwnerId=owner(2))
    deal.expect(
        ("Prospecting", "01-05 09:00:00", "01-10 09:00:00"),
        ("Qualification", "01-10 09:00:00", "01-15 09:00:00"),
        ("Needs Analysis", "01-15 09:00:00", "01-15 09:00:00"),
        ("Proposal", "01-15 09:00:00", None),
    )


@case
def history_that_begins_late(deal: Deal) -> None:
    """Fields show what was before the first save, and that nothing was before them."""
    deal.change("01-10 09:00:00", "StageName", "Prospecting", "Qualification")
    deal.change("02-01 09:00:00", "StageName", "Qualification", "Proposal")
    deal.save("02-01 09:00:00", "Proposal")
    deal.save("02-10 09:00:00", "Negotiation")
    deal.record("01-05 09:00:00", "02-10 09:00:00", "Negotiation")
    deal.expect(
        ("Prospecting", "01-05 09:00:00", "01-10 09:00:00"),
        ("Qualification", "01-10 09:00:00", "02-01 09:00:00"),
        ("Proposal", "02-01 09:00:00", "02-10 09:00:00"),
        ("Negotiation", "02-10 09:00:00", None),
    )


@case
def deleted_while_open(deal: Deal) -> None:
    """In the pipeline until 10 March, and in no count of today."""
    deal.save("01-05 09:00:00", "Negotiation", 7000)
    deal.record("01-05 09:00:00", "01-05 09:00:00", "Negotiation", 7000)
    deal.record("01-05 09:00:00", "03-10 09:00:00", "Negotiation", 7000, IsDeleted=True)


@case
def in_yen_and_never_touched(deal: Deal) -> None:
    """It is there every day at the rate of its creation, and nothing is divided by a hundred."""
    deal.save("01-15 09:00:00", "Proposal", 1_500_000)
    deal.record("01-15 09:00:00", "01-15 09:00:00", "Proposal", 1_500_000, CurrencyIsoCode="JPY")
    deal.expect(("Proposal", "01-15 09:00:00", None))


@case
def won_by_one_who_left(deal: Deal) -> None:
    """Owner 3 won it and left; the deal was handed to owner 1, the win was not."""
    deal.save("01-05 09:00:00", "Proposal", 800, "02-15")
    deal.save("02-15 09:00:00", "Signed", 800, "02-15")
    deal.record("01-05 09:00:00", "02-15 09:00:00", "Signed", 800, "02-15", OwnerId=owner(3))
    deal.record("01-05 09:00:00", "03-20 09:00:00", "Signed", 800, "02-15", OwnerId=owner(1))
    deal.expect(
        ("Proposal", "01-05 09:00:00", "02-15 09:00:00"), ("Signed", "02-15 09:00:00", None)
    )
