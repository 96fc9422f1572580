"""What runs the components: the contract, Docker, local processes."""
