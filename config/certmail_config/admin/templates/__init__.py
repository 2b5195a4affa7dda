"""Publishing what a tenant writes in its mails itself."""
