"""`certmail operators`: persons who sign in to the console, and what they may do."""
