"""What a person gives: prompts, files, edited text."""
