"""Messages: how they arrive, where they are kept, how Gmail shows them, and what bounces."""
