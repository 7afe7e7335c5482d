"""Reviews before a delivery: previews, proofs, differences, explanations, checks and the calendar."""
