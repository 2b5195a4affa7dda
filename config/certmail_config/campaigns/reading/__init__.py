"""Files as people write them: a campaign in TOML, its reviewers in CSV or JSON lines.

What is wrong is said with its line, and nothing is passed over in silence.
"""
