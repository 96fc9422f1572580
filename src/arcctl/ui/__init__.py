"""Shows. Results and events, to people and to programs."""
