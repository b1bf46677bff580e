"""Cards of the standard data: what it is, who is to be cited, and for what it is no good."""
