-- The vocabulary of the match keys, and the placeholders, as dictionaries: one row. The keys of every profile are
-- made with them.
{{ dmail.dictionaries() }}
