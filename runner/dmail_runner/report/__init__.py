"""The report: the ledger and the project's declarations as static pages. Nothing here changes the ledger."""
