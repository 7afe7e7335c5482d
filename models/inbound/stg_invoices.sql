-- What mail houses bill: one row per line of an invoice. Empty until the first fetch.
{{ dmail.invoices() }}
