"""Google's limits, counted over windows that slide (google.md §1.1-§1.3).

The numbers stand in `limits`; start reading at `quotas`, which enforces them.
"""
