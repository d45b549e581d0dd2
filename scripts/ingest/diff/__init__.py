"""What a change does to the warehouse: models, tests, contracts, metrics and rows of marts."""
