"""The report: static pages about the ledger and the project's declarations. The ledger is only read."""
