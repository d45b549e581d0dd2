"""One rule says whether a customer of Stripe or an account is a person, in copies and erasure."""

from pathlib import Path

import duckdb
import pytest

from ingest import companies, people
from ingest.load.person import People
from ingest.personal import words
from loading import Loading, customer, track

_COMPANIES = (
    "Acme GmbH & Co. KG",
    "Brioche B.V.",
    "Crème S.A.",
    "Dorn Holding",
    "Ember Ltd.",
    "Named In Crm",
    "Named In Segment",
    "Named In Stripe",
    "Named In Lead",
)
_PEOPLE = ("Incarnation Corpuz", "Jan Sasse", "Marta Grouper", "Self Employed", "Person Account")


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    loading = Loading(tmp_path)
    loading.write(
        "salesforce/Account.csv",
        "Id,Name,CreatedDate,IsPersonAccount,PersonEmail\n"
        "001A,NAMED IN CRM,2026-01-01,false,\n001B,Person Account,2026-01-01,,p@x.example\n",
    )
    loading.write(
        "salesforce/Lead.csv",
        "Id,FirstName,LastName,Company,Status\n"
        "00QA,Ann,Lee,Named  in Lead,Open\n00QB,Self,Employed,SELF EMPLOYED,Open\n",
    )
    loading.write_json(
        "stripe/customers.jsonl",
        *(customer(number, name=name) for number, name in enumerate((*_COMPANIES, *_PEOPLE))),
        customer(90, name="Somebody Else", business_name="Named In Stripe"),
    )
    loading.write_json(
        "segment/messages.jsonl",
        track(1, type="group", groupId="w1", traits={"name": "named in segment"}),
    )
    loading.load()
    return loading


def test_copies_and_erasure_take_the_same_names_for_companies(loading: Loading) -> None:
    with duckdb.connect(str(loading.warehouse)) as connection:
        people.known(connection)
        identifying = {
            name
            for name in (*_COMPANIES, *_PEOPLE)
            if connection.execute(
                f"select 1 from identifying where kind = 'name' and value = {words('?')}", [name]
            ).fetchone()
        }
        persons = People(connection)
        # An address that says nothing about the name.
        persons.find({("email", "q@z.example")})
        erased = {name for name in (*_COMPANIES, *_PEOPLE) if persons.is_persons(name)}
    assert identifying == set(_PEOPLE)
    assert erased == set(_PEOPLE)


def test_legal_forms_follow_a_name() -> None:
    names = ("Acme Inc", "Acme Inc Germany", "Inc Acme", "Incacme", "Acme L.L.C.", "Acme Group")
    with duckdb.connect() as connection:
        said = [
            connection.execute(f"select {companies.has_legal_form(words('?'))}", [name]).fetchall()
            for name in names
        ]
    assert [answer for ((answer,),) in said] == [True, True, False, False, True, True]
