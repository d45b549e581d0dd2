"""The CRM's records with all their versions, and what the builders of each object share.

A version is a whole row and the instant of the save that made it (`SystemModstamp`). Fields, enums
and formats: Salesforce's object reference and the Bulk API 2.0 query results.
"""

import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from ingest.generate.ids import account_salesforce_id, salesforce_id
from ingest.generate.records import Account, Company, Deal, Rep, StageChange

STAGES = (
    "Prospecting",
    "Qualification",
    "Needs Analysis",
    "Value Proposition",
    "Id. Decision Makers",
    "Perception Analysis",
    "Proposal/Price Quote",
    "Negotiation/Review",
    "Closed Won",
    "Closed Lost",
)
FORECAST_NAMES = {
    "Omitted": "Omitted",
    "Pipeline": "Pipeline",
    "BestCase": "Best Case",
    "MostLikely": "Most Likely",
    "Forecast": "Commit",
    "Closed": "Closed",
}
AUDIT = "CreatedDate CreatedById LastModifiedDate LastModifiedById SystemModstamp"
COLUMNS: dict[str, tuple[str, ...]] = {
    name: tuple(columns.split())
    for name, columns in {
        "Account": (
            "Id IsDeleted MasterRecordId Name Type ParentId BillingStreet BillingCity BillingState "
            "BillingPostalCode BillingCountry Phone Fax Website Industry AnnualRevenue "
            f"NumberOfEmployees Description CurrencyIsoCode OwnerId {AUDIT} LastActivityDate "
            "AccountSource Customer_Status__c Health_Score__c Legacy_Segment__c Renewal_Risk__c"
        ),
        "Contact": (
            "Id IsDeleted MasterRecordId AccountId LastName FirstName Salutation Name MailingCity "
            "MailingCountry Phone Fax MobilePhone Email Title Department LeadSource OwnerId "
            f"HasOptedOutOfEmail {AUDIT} EmailBouncedReason EmailBouncedDate IsEmailBounced"
        ),
        "Lead": (
            "Id IsDeleted MasterRecordId LastName FirstName Name Title Company City Country Phone "
            "Email Website LeadSource Status Industry Rating NumberOfEmployees OwnerId IsConverted "
            "ConvertedDate ConvertedAccountId ConvertedContactId ConvertedOpportunityId "
            f"IsUnreadByOwner {AUDIT}"
        ),
        "Opportunity": (
            "Id IsDeleted AccountId Name StageName Amount Probability ExpectedRevenue CloseDate "
            "Type NextStep LeadSource IsClosed IsWon ForecastCategory ForecastCategoryName "
            f"HasOpportunityLineItem CurrencyIsoCode OwnerId {AUDIT} FiscalQuarter FiscalYear "
            "Fiscal PushCount LastStageChangeDate Loss_Reason__c Competitor__c"
        ),
        "OpportunityHistory": (
            "Id IsDeleted OpportunityId CreatedById CreatedDate StageName Amount ExpectedRevenue "
            "CloseDate Probability ForecastCategory CurrencyIsoCode PrevAmount PrevCloseDate "
            "SystemModstamp"
        ),
        "OpportunityFieldHistory": (
            "Id IsDeleted OpportunityId CreatedById CreatedDate Field OldValue NewValue"
        ),
        "OpportunityLineItem": (
            "Id IsDeleted OpportunityId Product2Id ProductCode PricebookEntryId Name Quantity "
            f"UnitPrice ListPrice TotalPrice Discount ServiceDate CurrencyIsoCode {AUDIT}"
        ),
        "Product2": (
            f"Id IsDeleted Name ProductCode Description IsActive Family StockKeepingUnit {AUDIT}"
        ),
        "User": (
            "Id Username LastName FirstName Name Email Alias CommunityNickname Title Department "
            "IsActive TimeZoneSidKey LocaleSidKey LanguageLocaleKey EmailEncodingKey ProfileId "
            f"UserType ReceivesInfoEmails ReceivesAdminInfoEmails LastLoginDate {AUDIT}"
        ),
    }.items()
}
PRODUCTS = (
    ("Workspace seat", "WS-SEAT", "Seats", True),
    ("Business seat", "WS-BIZ", "Seats", True),
    ("Enterprise seat", "WS-ENT", "Seats", True),
    ("E-signatures", "ADD-SIGN", "Add-ons", True),
    ("OCR pack", "ADD-OCR", "Add-ons", True),
    ("Onboarding", "SVC-ONB", "Services", True),
    ("Desktop licence", "OLD-DESK", "Seats", False),
)


@dataclass(frozen=True, slots=True)
class Version:
    """A record after one save."""

    saved_at: datetime
    row: Mapping[str, str]


Records = dict[str, list[Version]]


@dataclass(slots=True)
class Crm:
    """Every object's records by Id, each with its versions in the order of their saves."""

    records: dict[str, Records] = field(
        default_factory=lambda: {name: defaultdict(list) for name in COLUMNS}
    )
    duplicate_account_ids: list[str] = field(default_factory=list)

    def save(self, object_name: str, saved_at: datetime, row: Mapping[str, str]) -> None:
        """Adds a version."""
        self.records[object_name][row["Id"]].append(Version(saved_at, row))


def timestamp(value: datetime) -> str:
    """A date-time as the Bulk API writes it; Salesforce saves whole seconds."""
    return f"{value:%Y-%m-%dT%H:%M:%S}.000Z"


def number(value: Decimal | float | None) -> str:
    """A number as the API writes it: plain, with at least one decimal."""
    if value is None:
        return ""
    text = f"{Decimal(str(value)).normalize():f}"
    return text if "." in text else f"{text}.0"


def flag(value: bool) -> str:
    """A boolean as the API writes it."""
    return "true" if value else "false"


def saved_history(deal: Deal) -> tuple[StageChange, ...]:
    """A deal's stage changes; some deals get their amount in a second save of the same second."""
    first = deal.history[0]
    if deal.key % 7 != 3 or first.amount is None:
        return deal.history
    return (replace(first, amount=None), *deal.history)


def opportunity_id(seed: int, deal_key: int) -> str:
    """The Opportunity id of a deal."""
    return salesforce_id("006", seed, "deal", deal_key)


def whole_second(value: datetime) -> datetime:
    """The second that a date-time is in."""
    return value.replace(microsecond=0)


class Projection:
    """Lookups that the builders of all objects share, and the moments that touch an account."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.seed = company.seed
        self.crm = Crm()
        self.accounts = {account.key: account for account in company.accounts}
        self.reps = {rep.key: rep for rep in company.reps}
        self.lifecycles = {life.account_key: life for life in company.lifecycles}
        self.touches: dict[int, set[datetime]] = defaultdict(set)
        self.admin_id = salesforce_id("005", self.seed, "admin")
        for account in company.accounts:
            if account.merged_into_key is not None and account.merged_at is not None:
                self.touches[account.merged_into_key].add(whole_second(account.merged_at))

    def chance(self, *key: object) -> random.Random:
        return random.Random(f"{self.seed}/salesforce/{'/'.join(map(str, key))}")

    def rep_id(self, rep_key: int) -> str:
        return salesforce_id("005", self.seed, "rep", rep_key)

    def owner_after(self, rep_key: int, moment: datetime, *key: object) -> int:
        """The owner of a rep's record at a moment: the rep, or a colleague after a handover."""
        rep = self.reps[rep_key]
        if rep.left_at is None or moment < self.handed_over_at(rep):
            return rep_key
        chance = self.chance("handover", rep_key, *key)
        heirs = [other.key for other in self.company.reps if other.left_at is None]
        return chance.choice(heirs) if heirs and chance.random() < 0.5 else rep_key

    @staticmethod
    def handed_over_at(rep: Rep) -> datetime:
        return whole_second((rep.left_at or datetime.max - timedelta(days=9)) + timedelta(days=3))

    def account_at(self, account_key: int, moment: datetime) -> Account:
        """The account that an account's children belong to at a moment: mergers move them."""
        account = self.accounts[account_key]
        seen = set()
        while (
            account.merged_into_key is not None
            and account.merged_at is not None
            and whole_second(account.merged_at) <= moment
            and account.key not in seen
        ):
            seen.add(account.key)
            account = self.accounts[account.merged_into_key]
        return account

    def account_ref(self, account_key: int, moment: datetime) -> str:
        """The AccountId of a child that is saved at a moment, which also touches the account."""
        account = self.account_at(account_key, moment)
        self.touches[account.key].add(moment)
        return account_salesforce_id(self.seed, account.key)

    def audit(self, created_at: datetime, saved_at: datetime, owner_id: str) -> dict[str, str]:
        return {
            "CreatedDate": timestamp(created_at),
            "CreatedById": self.admin_id,
            "LastModifiedDate": timestamp(saved_at),
            "LastModifiedById": owner_id,
            "SystemModstamp": timestamp(saved_at),
        }


def product_id(projection: Projection, code: str) -> str:
    """The Product2 id of a product's code."""
    return salesforce_id("01t", projection.seed, code)
