"""The API, a module a noun; each endpoint reads its parameters, calls one function of `reports`, and answers."""
