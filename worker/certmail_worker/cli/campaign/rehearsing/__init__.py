"""`certmail campaign rehearse`: what is asked for, and how it is shown."""
