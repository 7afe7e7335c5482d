"""Writes docs/reference and docs/schema from the code (`make docs`)."""
