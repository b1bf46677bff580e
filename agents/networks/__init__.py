"""Networks that learn all seeds at once."""
