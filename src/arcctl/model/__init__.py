"""What things are: pure values."""
