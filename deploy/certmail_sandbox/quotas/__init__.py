"""Google's limits, counted over windows that slide."""
