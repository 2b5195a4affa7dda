"""A campaign that runs: its states, what is left to its reviewers, and how both are written down."""
