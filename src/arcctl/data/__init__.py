"""What services store for their users: databases, topics, flags and accounts."""
