"""arcctl: a platform in a box for people who build AI agents."""
