"""From a dialogue script to voiced lines that a game imports: cast, delivery, checks, manifest."""
