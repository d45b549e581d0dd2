"""Draws single faults in models and reports which of the project's tests notice them."""
