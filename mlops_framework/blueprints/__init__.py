"""The built-in blueprints; each folder has the shape of a third party's plugin."""
