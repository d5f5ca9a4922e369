"""Who is asking, and what they may do: users, tokens, a trusted proxy."""
