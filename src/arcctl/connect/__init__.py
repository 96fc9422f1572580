"""How people and programs reach the services: addresses, variables, web pages, interactive clients."""
