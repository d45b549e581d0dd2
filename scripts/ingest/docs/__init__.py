"""What people read about a built warehouse: the documentation site and the quality report."""
