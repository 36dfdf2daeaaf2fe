"""OpenAI's chat completions, and the many servers that follow them."""
