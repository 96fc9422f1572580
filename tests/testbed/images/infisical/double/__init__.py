"""A contract double of Infisical: its settings, its bootstrap and one secret's way there and back. It is no vault."""
