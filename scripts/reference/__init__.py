"""docs/reference and docs/schema, written from the code: `make docs`."""
