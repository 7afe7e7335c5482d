"""What a person looks at before anything is delivered: previews, proofs, differences, explanations, checks and the calendar."""
