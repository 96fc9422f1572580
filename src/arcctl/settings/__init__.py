"""Where values come from, and what is written to the project directory."""
