"""`certmail campaign …`: what a campaign will do; its plan needs neither stores nor a server."""
