"""Whether routing is worth it, and how robust it is, measured on judged rows."""
