"""Whether routing is worth it, and how steady it is, measured on judged rows."""
