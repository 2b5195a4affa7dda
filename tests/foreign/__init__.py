"""Other projects' own tests, run on what is ours in their place."""
