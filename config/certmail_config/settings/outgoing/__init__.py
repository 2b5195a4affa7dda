"""Settings of what certmail sends besides mails."""
