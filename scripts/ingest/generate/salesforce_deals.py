"""Salesforce's opportunities with their versions, histories and line items."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from ingest.generate.crm import (
    FORECAST_NAMES,
    PRODUCTS,
    Projection,
    flag,
    number,
    opportunity_id,
    product_id,
    saved_history,
    timestamp,
    whole_second,
)
from ingest.generate.ids import salesforce_id, salesforce_sequence_id
from ingest.generate.records import Deal, StageChange


def add_opportunities(projection: Projection) -> None:
    histories: list[tuple[datetime, int, int, dict[str, str], datetime | None]] = []
    trails: list[tuple[datetime, int, int, dict[str, str]]] = []
    for deal in projection.company.deals:
        if not projection.accounts[deal.account_key].in_salesforce:
            continue
        _save_opportunity(projection, deal)
        _save_line_items(projection, deal)
        deleted_at = whole_second(deal.deleted_at) if deal.deleted_at else None
        histories += [
            (saved_at, deal.key, position, row, deleted_at)
            for position, (saved_at, row) in enumerate(_history_rows(projection, deal))
        ]
        trails += [
            (saved_at, deal.key, position, row)
            for position, (saved_at, row) in enumerate(_field_history_rows(projection, deal))
        ]
    histories.sort(key=lambda item: item[:3])
    for running, (saved_at, _, _, row, deleted_at) in enumerate(histories, 1):
        full = {"Id": salesforce_sequence_id("008", running), "IsDeleted": "false", **row}
        projection.crm.save("OpportunityHistory", saved_at, full)
        if deleted_at is not None:
            stamp = {"IsDeleted": "true", "SystemModstamp": timestamp(deleted_at)}
            projection.crm.save("OpportunityHistory", deleted_at, full | stamp)
    trails.sort(key=lambda item: item[:3])
    for running, (saved_at, _, _, row) in enumerate(trails, 1):
        full = {"Id": salesforce_sequence_id("017", running), "IsDeleted": "false", **row}
        projection.crm.save("OpportunityFieldHistory", saved_at, full)


def _forecast(change: StageChange) -> str:
    """The API value of the forecast category, which closing decides."""
    if change.stage_name == "Closed Won":
        return "Closed"
    if change.stage_name == "Closed Lost":
        return "Omitted"
    names = {label: value for value, label in FORECAST_NAMES.items()}
    return names.get(change.forecast_category, change.forecast_category)


def _expected(change: StageChange) -> Decimal | None:
    if change.amount is None:
        return None
    return round(change.amount * change.probability / 100, 2)


def _saves(projection: Projection, deal: Deal) -> Iterator[tuple[datetime, StageChange, bool]]:
    """Every save of a deal: its own history, a handover, a merger of its account, its deletion."""
    rep = projection.reps[deal.owner_key]
    account = projection.accounts[deal.account_key]
    extra: list[tuple[datetime, bool]] = []
    if rep.left_at is not None:
        extra.append((projection.handed_over_at(rep), False))
    if account.merged_at is not None:
        extra.append((whole_second(account.merged_at), False))
    deleted_at = whole_second(deal.deleted_at) if deal.deleted_at else datetime.max
    saves: list[tuple[datetime, int, StageChange | None, bool]] = [
        (whole_second(change.changed_at), position, change, False)
        for position, change in enumerate(saved_history(deal))
    ]
    saves += [(moment, len(saves), None, False) for moment, _ in extra if moment > deal.created_at]
    if deal.deleted_at:
        saves.append((deleted_at, len(saves), None, True))
    current = saved_history(deal)[0]
    for saved_at, _, change, is_deleted in sorted(saves, key=lambda save: save[:2]):
        if saved_at > deleted_at:
            return
        current = change or current
        yield saved_at, current, is_deleted


def _save_opportunity(projection: Projection, deal: Deal) -> None:
    created_at = whole_second(deal.created_at)
    pushes, close_date = 0, deal.history[0].close_date
    stage, stage_since = deal.history[0].stage_name, created_at
    for saved_at, state, is_deleted in _saves(projection, deal):
        pushes += (state.close_date.year, state.close_date.month) > (
            close_date.year,
            close_date.month,
        )
        close_date = state.close_date
        if state.stage_name != stage:
            stage, stage_since = state.stage_name, saved_at
        is_won = stage == "Closed Won"
        is_closed = is_won or stage == "Closed Lost"
        forecast = _forecast(state)
        quarter = (close_date.month + 2) // 3
        owner_id = projection.rep_id(projection.owner_after(deal.owner_key, saved_at, deal.key))
        projection.crm.save(
            "Opportunity",
            saved_at,
            {
                "Id": opportunity_id(projection.seed, deal.key),
                "IsDeleted": flag(is_deleted),
                "AccountId": projection.account_ref(deal.account_key, saved_at),
                "Name": deal.name,
                "StageName": stage,
                "Amount": number(state.amount),
                "Probability": number(state.probability),
                "ExpectedRevenue": number(_expected(state)),
                "CloseDate": close_date.isoformat(),
                "Type": deal.deal_type,
                "NextStep": "" if is_closed else f"After {stage}",
                "LeadSource": deal.lead_source,
                "IsClosed": flag(is_closed),
                "IsWon": flag(is_won),
                "ForecastCategory": forecast,
                "ForecastCategoryName": FORECAST_NAMES[forecast],
                "HasOpportunityLineItem": flag(_has_line_items(deal) and state.amount is not None),
                "CurrencyIsoCode": deal.currency,
                "OwnerId": owner_id,
                **projection.audit(created_at, saved_at, owner_id),
                "FiscalQuarter": str(quarter),
                "FiscalYear": str(close_date.year),
                "Fiscal": f"{close_date.year} {quarter}",
                "PushCount": str(pushes),
                "LastStageChangeDate": timestamp(stage_since),
                "Loss_Reason__c": (deal.loss_reason or "") if stage == "Closed Lost" else "",
                "Competitor__c": ("", "None", "In-house", "Paperfold")[deal.key % 4],
            },
        )


def _history_rows(projection: Projection, deal: Deal) -> Iterator[tuple[datetime, dict[str, str]]]:
    previous: StageChange | None = None
    for change in saved_history(deal):
        saved_at = whole_second(change.changed_at)
        if deal.deleted_at and saved_at > deal.deleted_at:
            return
        yield (
            saved_at,
            {
                "OpportunityId": opportunity_id(projection.seed, deal.key),
                "CreatedById": projection.rep_id(deal.owner_key),
                "CreatedDate": timestamp(saved_at),
                "StageName": change.stage_name,
                "Amount": number(change.amount),
                "ExpectedRevenue": number(_expected(change)),
                "CloseDate": change.close_date.isoformat(),
                "Probability": number(change.probability),
                "ForecastCategory": _forecast(change),
                "CurrencyIsoCode": deal.currency,
                "PrevAmount": number(previous.amount) if previous else "",
                "PrevCloseDate": previous.close_date.isoformat() if previous else "",
                "SystemModstamp": timestamp(saved_at),
            },
        )
        previous = change


def _field_history_rows(
    projection: Projection, deal: Deal
) -> Iterator[tuple[datetime, dict[str, str]]]:
    """The tracked fields' changes; an owner change comes as two rows, names and then ids."""
    common = {
        "OpportunityId": opportunity_id(projection.seed, deal.key),
        "CreatedById": projection.rep_id(deal.owner_key),
    }
    previous: tuple[StageChange, int] | None = None
    for saved_at, state, is_deleted in _saves(projection, deal):
        row = common | {"CreatedDate": timestamp(saved_at)}
        owner_key = projection.owner_after(deal.owner_key, saved_at, deal.key)
        if previous is None:
            yield saved_at, row | {"Field": "created"}
        elif not is_deleted:
            old, old_owner = previous
            changes = [
                ("StageName", old.stage_name, state.stage_name),
                ("Amount", number(old.amount), number(state.amount)),
                ("CloseDate", old.close_date.isoformat(), state.close_date.isoformat()),
                ("Owner", _rep_name(projection, old_owner), _rep_name(projection, owner_key)),
                ("Owner", projection.rep_id(old_owner), projection.rep_id(owner_key)),
            ]
            for name, old_value, new_value in changes:
                if old_value != new_value:
                    values = {"Field": name, "OldValue": old_value, "NewValue": new_value}
                    yield saved_at, row | values
        previous = state, owner_key


def _rep_name(projection: Projection, rep_key: int) -> str:
    rep = projection.reps[rep_key]
    return f"{rep.first_name} {rep.last_name}"


def _has_line_items(deal: Deal) -> bool:
    return deal.key % 10 < 7


def _save_line_items(projection: Projection, deal: Deal) -> None:
    """Two lines, seats and an add-on, that make up the amount after each save that changes it."""
    if not _has_line_items(deal):
        return
    added_at: datetime | None = None
    amount: Decimal | None = None
    codes = (PRODUCTS[deal.key % 3][1], PRODUCTS[3 + deal.key % 2][1])
    for saved_at, state, is_deleted in _saves(projection, deal):
        if state.amount is None or (state.amount == amount and not is_deleted):
            continue
        amount = state.amount
        added_at = added_at or saved_at
        seats = max(deal.key % 40, 2)
        seat_price = round(amount * Decimal("0.85") / seats, 2)
        seats_total = seat_price * seats
        lines = (
            (codes[0], seats, seat_price, seats_total),
            (codes[1], 1, amount - seats_total, amount - seats_total),
        )
        for position, (code, quantity, unit_price, total) in enumerate(lines):
            projection.crm.save(
                "OpportunityLineItem",
                saved_at,
                {
                    "Id": salesforce_id("00k", projection.seed, deal.key, position),
                    "IsDeleted": flag(is_deleted),
                    "OpportunityId": opportunity_id(projection.seed, deal.key),
                    "Product2Id": product_id(projection, code),
                    "ProductCode": code,
                    "PricebookEntryId": salesforce_id("01u", projection.seed, code, deal.currency),
                    "Name": f"{deal.name} {code}",
                    "Quantity": number(quantity),
                    "UnitPrice": number(unit_price),
                    "ListPrice": number(unit_price),
                    "TotalPrice": number(total),
                    "ServiceDate": state.close_date.isoformat(),
                    "CurrencyIsoCode": deal.currency,
                    **projection.audit(added_at, saved_at, projection.rep_id(deal.owner_key)),
                },
            )
