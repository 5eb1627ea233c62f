"""The API: one module per resource; each endpoint reads its parameters and calls one function of `reports`."""
