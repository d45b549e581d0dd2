from ingest import catalog


def test_every_table_is_declared_once_under_its_vendor() -> None:
    names = [(table.schema, table.name.lower()) for table in catalog.tables()]
    assert len(names) == len(set(names))
    assert {table.source for table in catalog.tables()} == set(catalog.SOURCES)


def test_columns_are_unique_even_where_case_is_ignored() -> None:
    for table in catalog.tables():
        names = [column.name.lower() for column in (*table.columns, *catalog.METADATA)]
        assert len(names) == len(set(names)), table.name


def test_required_fields_are_declared() -> None:
    for table in catalog.tables():
        assert set(table.required) <= {column.name for column in table.columns}, table.name


def test_compound_and_custom_fields_of_salesforce_are_left_to_extra() -> None:
    account = next(table for table in catalog.tables() if table.name == "Account")
    names = {column.name for column in account.columns}
    assert "BillingCity" in names
    assert "BillingAddress" not in names
    assert not any(name.endswith("__c") for name in names)


def test_kinds_follow_the_vendors_types() -> None:
    kinds = {
        (table.name, column.name): column.kind
        for table in catalog.tables()
        for column in table.columns
    }
    assert kinds["prices", "unit_amount"] == "integer"
    assert kinds["prices", "unit_amount_decimal"] == "text"
    assert kinds["coupons", "percent_off"] == "decimal"
    assert kinds["subscriptions", "items"] == "json"
    assert kinds["subscriptions", "customer"] == "text"
    assert kinds["Opportunity", "CloseDate"] == "day"
    assert kinds["Opportunity", "Amount"] == "decimal"
    assert kinds["messages", "receivedAt"] == "instant"
