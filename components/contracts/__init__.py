"""The nouns that cross a container boundary. Standard library only: every image imports them."""
