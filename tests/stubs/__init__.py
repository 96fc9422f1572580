"""The stubs keep the rules of the real servers, and the declarations keep to them."""
