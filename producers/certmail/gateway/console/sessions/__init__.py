"""Who looks at the console: sessions, cookies, and how often somebody may try."""
