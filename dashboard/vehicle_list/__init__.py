"""The fleet page: a fleet's cars in a table and on a map, with one set of filters for both."""
