"""The warehouse on Spark: the lake that the loader feeds, and what both engines must agree on."""
