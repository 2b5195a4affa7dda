"""`certmail campaign …`: what a campaign will do, for which its files are enough, and running it."""
